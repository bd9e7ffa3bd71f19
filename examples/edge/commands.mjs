/**
 * Checks a request against the Worker's allow-list, its variable COMMANDS. An entry has a name and
 *
 * - `command`: the arguments. The parameter `name` replaces an argument that is exactly "{name}". It cannot replace a part of an
 *   argument, and cannot become several arguments
 * - `parameters`: a pattern for each, which the whole parameter must match
 * - `nodeid`: the ranks. Default: "any"
 * - `encoding`: of output, "text" or "base64". Default: "text"
 */

/** The Worker does not serve the request. */
export class Refusal extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.response = new Response(`${message}\n`, { status, headers });
  }
}

/** @throws Refusal */
export function parseRequest(request, commands) {
  if (typeof commands !== "object") throw new TypeError("the Worker needs the variable COMMANDS, as JSON");
  const { pathname, searchParams } = new URL(request.url);
  const [, name] = /^\/run\/([^/]+)$/.exec(pathname) ?? [];
  if (name === undefined) throw new Refusal(404, `no such path: ${pathname}; use /run/NAME`);
  if (request.method !== "GET") {
    throw new Refusal(405, `method ${request.method} is not allowed; use GET`, { allow: "GET" });
  }
  // A cookie may admit the user to the Worker. Another site's page must not use it to run commands.
  if (request.headers.get("sec-fetch-site") === "cross-site") {
    throw new Refusal(403, "a page of another site may not run commands");
  }
  if (!Object.hasOwn(commands, name)) {
    throw new Refusal(403, `not permitted: ${name}; permitted: ${Object.keys(commands).join(", ")}`);
  }
  const { command, parameters = {}, nodeid = "any", encoding = "text" } = commands[name];
  const values = parametersOf(searchParams, parameters);
  return { command: command.map((argument) => values.get(argument) ?? argument), nodeid, encoding };
}

/** @returns the value for each argument that names a parameter @throws Refusal */
function parametersOf(searchParams, patterns) {
  for (const name of searchParams.keys()) {
    if (!Object.hasOwn(patterns, name)) throw new Refusal(400, `no such parameter: ${name}`);
  }
  const values = new Map();
  for (const [name, pattern] of Object.entries(patterns)) {
    const [value, ...more] = searchParams.getAll(name);
    if (value === undefined || more.length > 0) {
      throw new Refusal(400, `the parameter ${name} must be given once`);
    }
    if (!new RegExp(`^(?:${pattern})$`, "u").test(value)) {
      throw new Refusal(400, `the parameter ${name} must match ${pattern}`);
    }
    values.set(`{${name}}`, value);
  }
  return values;
}
