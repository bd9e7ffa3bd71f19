/**
 * What a request asks for, held against the Worker's allow-list, its variable COMMANDS. An entry has a name and
 *
 * - `command`: the arguments. One that is "{name}" is replaced by the parameter of that name, as a whole: there is
 *   no way to say a part of an argument, and so none to say more than one
 * - `parameters`: for each a pattern that the whole of it must match
 * - `nodeid`: the ranks that it runs on. Default: "any"
 * - `encoding`: "text", the default, or "base64", how output is told
 */

/** A request that is not served. */
export class Refused extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.response = new Response(`${message}\n`, { status, headers });
  }
}

/** @throws Refused */
export function requested(request, commands) {
  if (typeof commands !== "object") throw new TypeError("the Worker needs the variable COMMANDS, as JSON");
  const { pathname, searchParams } = new URL(request.url);
  const [, name] = /^\/run\/([^/]+)$/.exec(pathname) ?? [];
  if (name === undefined) throw new Refused(404, `no such path: ${pathname}; it is /run/NAME`);
  if (request.method !== "GET") {
    throw new Refused(405, `${request.method} is not for running a command: GET is`, { allow: "GET" });
  }
  // Whoever may come here is known by a cookie, perhaps. Another site's page must not make use of that.
  if (request.headers.get("sec-fetch-site") === "cross-site") {
    throw new Refused(403, "a page of another site may not run commands");
  }
  if (!Object.hasOwn(commands, name)) {
    throw new Refused(403, `not permitted: ${name}; permitted are: ${Object.keys(commands).join(", ")}`);
  }
  const { command, parameters = {}, nodeid = "any", encoding = "text" } = commands[name];
  const values = parametersOf(searchParams, parameters);
  return { command: command.map((argument) => values.get(argument) ?? argument), nodeid, encoding };
}

/** @returns what stands for each argument that is a parameter. @throws Refused */
function parametersOf(searchParams, patterns) {
  for (const name of searchParams.keys()) {
    if (!Object.hasOwn(patterns, name)) throw new Refused(400, `no such parameter: ${name}`);
  }
  const values = new Map();
  for (const [name, pattern] of Object.entries(patterns)) {
    const given = searchParams.getAll(name);
    if (given.length !== 1) throw new Refused(400, `the parameter ${name} must be given once`);
    if (!new RegExp(`^(?:${pattern})$`, "u").test(given[0])) {
      throw new Refused(400, `the parameter ${name} must match ${pattern}`);
    }
    values.set(`{${name}}`, given[0]);
  }
  return values;
}
