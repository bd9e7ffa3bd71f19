/** Every field of a token's permissions, in both directions. */
import {
  attach,
  detail,
  exec,
  kill,
  list,
  type RequestTemplate,
  row,
  rpc,
  wait,
  watch,
} from "../requests.js";
import { ALL, type Refusal } from "../world.js";

const VERBS: Record<string, RequestTemplate> = {
  exec: exec(),
  attach: attach(),
  kill: kill(),
  wait: wait(),
  list,
  rpc,
};

const without = (action: string) => ALL.split(" ").filter((name) => name !== action);

/** A request that a detail does not allow, beside one that it does. */
const requests = (
  name: string,
  field: string,
  fields: object,
  bad: RequestTemplate,
  good: RequestTemplate,
): Refusal => {
  const claims = detail(fields);
  return row(
    `${field}: ${name}`,
    new RegExp(`^1 token does not allow \\w+: ${field}$`),
    { claims, request: bad },
    { claims, request: good },
  );
};

/** A detail that does not allow a request, beside one that does. */
const details = (name: string, field: string, request: RequestTemplate, bad: object, good: object): Refusal =>
  row(
    `${field}: ${name}`,
    new RegExp(`^1 token does not allow \\w+: ${field}$`),
    { claims: detail(bad), request },
    { claims: detail(good), request },
  );

const scopes = Object.entries(VERBS).map(([verb, request]) =>
  row(
    `scope: without ${verb}`,
    new RegExp(`^1 token does not allow ${verb}: scope$`),
    { claims: { scope: without(verb).join(" ") }, request },
    { claims: { scope: verb }, request },
  ),
);

const actions = Object.entries(VERBS).map(([verb, request]) =>
  details(`without ${verb}`, "actions", request, { actions: without(verb) }, { actions: [verb] }),
);

const other = (request: RequestTemplate, service: string): RequestTemplate => ({
  ...request,
  topic: request.topic.replace(/^.*\./, `${service}.`),
});

export const PERMISSIONS: Refusal[] = [
  ...scopes,
  row(
    "scope: of other words alone",
    /token does not allow exec: scope$/,
    { claims: { scope: "openid execute" }, request: exec() },
    { claims: { scope: "openid exec" }, request: exec() },
  ),
  row(
    "scope: a detail does not widen it",
    /token does not allow exec: scope$/,
    { claims: detail({ actions: ["exec"] }, "kill"), request: exec() },
    { claims: detail({ actions: ["exec"] }, "exec"), request: exec() },
  ),
  row(
    "neither scope nor details",
    /token does not allow exec: it has no permissions$/,
    { claims: { scope: undefined }, request: exec() },
    { claims: { ...detail({ actions: ["exec"] }), scope: undefined }, request: exec() },
  ),
  row(
    "details of other types alone, and no scope",
    /token does not allow list: it has no permissions$/,
    {
      claims: { scope: undefined, authorization_details: [{ type: "other", actions: ["list"] }] },
      request: list,
    },
    { claims: { scope: "list", authorization_details: [{ type: "other" }] }, request: list },
  ),
  row(
    "no one detail allows it in every field",
    /token does not allow exec: ranks$/,
    {
      claims: {
        authorization_details: [
          { type: "flux_subprocess", actions: ["exec"], ranks: "1" },
          { type: "flux_subprocess", actions: ["kill"], ranks: "0" },
        ],
      },
      request: exec(),
    },
    {
      claims: {
        authorization_details: [
          { type: "flux_subprocess", actions: ["kill"], ranks: "1" },
          { type: "flux_subprocess", actions: ["exec"], ranks: "0" },
        ],
      },
      request: exec(),
    },
  ),
  row(
    "scope: a stream of another service than a subprocess server's",
    /token does not allow stream: scope$/,
    { claims: { scope: without("rpc").join(" ") }, request: other(exec(), "job-exec") },
    { claims: { scope: without("rpc").join(" ") }, request: other(exec(), "sdexec") },
  ),
  row(
    "a method of a subprocess server that RFC 42 does not have, whatever the token says",
    /no token allows rpc: its service runs commands, or is a user's own$/,
    { claims: detail({ topics: ["x.*"] }), request: { topic: "rexec.stats-get", payload: {} } },
    { claims: detail({ topics: ["x.*"] }), request: { topic: "x.stats-get", payload: {} } },
  ),
  row(
    "write: as a request",
    /no token allows write: it is no request of its own$/,
    { claims: {}, request: { topic: "rexec.write", payload: { matchtag: 1, io: {} } } },
    { claims: {}, request: { topic: "rexec.list", payload: {} } },
  ),
  ...actions,
  details("another", "services", exec(), { services: ["sdexec"] }, { services: ["rexec"] }),
  details(
    "a glob that does not fit",
    "services",
    kill(),
    { services: ["*-shell-*.rexec"] },
    { services: ["re*"] },
  ),
  requests(
    "none but the named one, of rpc",
    "services",
    { services: ["attr"] },
    { topic: "config.get", payload: {} },
    rpc,
  ),
  requests("a longer name", "services", { services: ["rexec"] }, other(exec(), "x.rexec"), exec()),
  requests(
    "one that is not in the set",
    "ranks",
    { ranks: "0,2" },
    exec({}, { nodeid: "1" }),
    exec({}, { nodeid: "2" }),
  ),
  requests(
    "one of several",
    "ranks",
    { ranks: "0-2" },
    exec({}, { nodeid: "2-3" }),
    exec({}, { nodeid: "1-2" }),
  ),
  requests(
    "all, of some",
    "ranks",
    { ranks: "0-2" },
    exec({}, { nodeid: "all" }),
    exec({}, { nodeid: "0-2" }),
  ),
  requests(
    "one that does not exist",
    "ranks",
    { ranks: "0-3" },
    kill({ pid: 1 }, { nodeid: "9" }),
    kill({ pid: 1 }, { nodeid: "3" }),
  ),
  details("of a watch", "ranks", { ...watch, nodeid: "1" }, { ranks: "0,2" }, { ranks: "1" }),
  details("of a watch without list", "actions", watch, { actions: without("list") }, { actions: ["list"] }),
  details("of a watch", "services", watch, { services: ["sdexec"] }, { services: ["rexec"] }),
  row(
    "scope: a watch without list",
    /^1 token does not allow list: scope$/,
    { claims: { scope: without("list").join(" ") }, request: watch },
    { claims: { scope: "list" }, request: watch },
  ),
  details('"any", which is the broker\'s', "ranks", list, { ranks: "1-3" }, { ranks: "0" }),
  details("none at all", "ranks", rpc, { ranks: "" }, { ranks: "0" }),
  requests("another program", "commands", { commands: [["true"]] }, exec({ cmdline: ["false"] }), exec()),
  requests(
    "an argument more",
    "commands",
    { commands: [["true"]] },
    exec({ cmdline: ["true", "x"] }),
    exec(),
  ),
  requests(
    "an argument less",
    "commands",
    { commands: [["true", "*"]] },
    exec(),
    exec({ cmdline: ["true", "x"] }),
  ),
  requests(
    "an argument in two words",
    "commands",
    { commands: [["echo", "a?b"]] },
    exec({ cmdline: ["echo", "a", "b"] }),
    exec({ cmdline: ["echo", "a b"] }),
  ),
  requests(
    "text around the pattern",
    "commands",
    { commands: [["true"]] },
    exec({ cmdline: ["true\n"] }),
    exec(),
  ),
  requests(
    "before the rest",
    "commands",
    { commands: [["echo", "a", "**"]] },
    exec({ cmdline: ["echo", "b", "a"] }),
    exec({ cmdline: ["echo", "a", "b", "c"] }),
  ),
  requests("none", "commands", { commands: [["true", "**"]] }, exec({ cmdline: [] }), exec()),
  details("no command at all", "commands", exec(), { commands: [] }, { commands: [["t???"]] }),
  requests(
    "what C would cut off",
    "cmdline is not text",
    { commands: [["true*"]] },
    exec({ cmdline: ["true\0x"] }),
    exec(),
  ),
  requests(
    "what is no text",
    "cmdline is not text",
    { commands: [["**"]] },
    exec({ cmdline: ["true", 7] }),
    exec(),
  ),
  requests("another, by number", "signals", { signals: [15] }, kill({ pid: 1, signum: 9 }), kill()),
  requests("another, by name", "signals", { signals: ["SIGTERM"] }, kill({ pid: 1, signum: 9 }), kill()),
  requests(
    "none",
    "signum is not an integer",
    { signals: [15] },
    kill({ pid: 1, signum: undefined }),
    kill(),
  ),
  requests(
    "one that C would take for another",
    "signum is not an integer",
    { signals: [15] },
    kill({ pid: 1, signum: 2 ** 32 + 15 }),
    kill(),
  ),
  requests(
    "another name",
    "env",
    { env: ["LC_*"] },
    exec({ env: { PATH: "/evil" } }),
    exec({ env: { LC_ALL: "C" } }),
  ),
  requests(
    "one of several names",
    "env",
    { env: ["A", "B"] },
    exec({ env: { A: "", C: "" } }),
    exec({ env: { A: "", B: "" } }),
  ),
  requests(
    "a name that sets another",
    "env",
    { env: ["*_DIR"] },
    exec({ env: { "LD_PRELOAD=x:X_DIR": "" } }),
    exec({ env: { X_DIR: "" } }),
  ),
  requests(
    "any name, beside a limit on commands",
    "env",
    { commands: [["true"]] },
    exec({ env: { LD_PRELOAD: "x" } }),
    exec(),
  ),
  requests("__proto__", "env", { env: [] }, exec({ env: JSON.parse('{"__proto__":"x"}') }), exec()),
  details("none", "processes", exec(), { processes: 0 }, { processes: 1 }),
  requests(
    "more ranks than processes",
    "processes",
    { processes: 2 },
    exec({}, { nodeid: "0-2" }),
    exec({}, { nodeid: "0-1" }),
  ),
];
