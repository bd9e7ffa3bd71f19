/** The house of docs/architecture.md: imports follow the data and never turn back. */
const only = (name, from, to) => ({
  name,
  severity: "error",
  from: { path: from },
  to: { path: "^(src|proxy|test|examples)/", pathNot: to },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, path: "^(src|proxy)/", pathNot: "\\.d\\.ts$" },
      to: {},
    },
    only("errors-is-a-leaf", "^src/errors", "^$"),
    only("protocol-knows-itself", "^src/protocol/", "^src/(protocol/|errors)"),
    only("transport-knows-protocol", "^src/transport/", "^src/(transport/|protocol/)"),
    only(
      "session-knows-what-is-below",
      "^src/session/",
      "^src/(session/|transport/|signing/|protocol/|errors)",
    ),
    only(
      "subprocess-knows-the-handle",
      "^src/subprocess/",
      "^src/(subprocess/|session/|protocol/|errors|flux|rpc)",
    ),
    {
      name: "client-has-no-node",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "client-has-few-packages",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "node_modules/", pathNot: "node_modules/(rxjs|isomorphic-ws|jose)/" },
    },
    {
      name: "one-importer-of-isomorphic-ws",
      severity: "error",
      from: { pathNot: "^src/transport/websocket" },
      to: { path: "isomorphic-ws" },
    },
    only("wire-is-pure", "^proxy/wire/", "^proxy/wire/"),
    {
      name: "wire-does-no-io",
      severity: "error",
      from: { path: "^proxy/wire/" },
      to: { dependencyTypes: ["core", "npm"] },
    },
    only("broker-knows-wire", "^proxy/broker/", "^(proxy/(broker|wire)/|src/(protocol/|errors))"),
    only("signing-knows-protocol", "^src/signing/", "^src/(signing/|protocol/|errors)"),
    only(
      "proxy-signing-knows-signing",
      "^proxy/signing/",
      "^(proxy/signing/|src/(signing/|protocol/|errors))",
    ),
    only(
      "embedded-knows-wire-and-signing",
      "^proxy/embedded/",
      "^(proxy/(embedded|wire|signing)/|src/(protocol/|signing/|errors))",
    ),
    only("auth-knows-errors", "^proxy/auth/", "^(proxy/auth/|src/(protocol/|signing/|errors))"),
    only(
      "policy-knows-permissions",
      "^proxy/policy/",
      "^(proxy/(policy/|auth/permissions|broker/payload)|src/(protocol/|signing/|errors))",
    ),
    {
      name: "policy-does-no-io",
      severity: "error",
      from: { path: "^proxy/policy/" },
      to: { dependencyTypes: ["core", "npm"] },
    },
    {
      name: "one-importer-of-pino",
      severity: "error",
      from: { pathNot: "^proxy/(audit|config)" },
      to: { path: "node_modules/pino/" },
    },
    {
      name: "proxy-goes-down",
      comment: "listener, session, watch, call, flow and policy, broker: each knows only those below it",
      severity: "error",
      from: { path: "^proxy/(watch|call|flow|policy|broker)/" },
      to: { path: "^proxy/(session/|listener|index|main|cli/)" },
    },
    {
      name: "call-knows-no-watch",
      severity: "error",
      from: { path: "^proxy/(call|flow|policy|broker)/" },
      to: { path: "^proxy/watch/" },
    },
    {
      name: "flow-and-policy-know-no-call",
      severity: "error",
      from: { path: "^proxy/(flow|policy)/" },
      to: { path: "^proxy/call/" },
    },
    // The command line is a user of the client as well as of the proxy; nothing else in proxy/ is.
    {
      name: "proxy-sees-little-of-src",
      severity: "error",
      from: { path: "^proxy/", pathNot: "^proxy/cli/" },
      to: { path: "^src/", pathNot: "^src/(protocol/|signing/|errors)" },
    },
    only(
      "cli-uses-public-names",
      "^proxy/cli/",
      "^(proxy/(cli/|index|embedded/index|auth/)|src/(index|signing/|protocol/idset))",
    ),
    only("dashboard-files-know-nothing", "^proxy/dashboard", "^$"),
    // The page is a user of the client as anybody is; what it shows does not know how.
    only("page-uses-public-names", "^examples/dashboard/", "^(examples/dashboard/|src/index)"),
    only(
      "model-knows-no-view",
      "^examples/dashboard/model/",
      "^(examples/dashboard/(model/|token)|src/index)",
    ),
    {
      name: "not-to-test",
      severity: "error",
      from: { path: "^(src|proxy)/" },
      to: { path: "^(test|examples)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js", ".d.ts"] },
  },
};
