import { expect, test } from "vitest";
import { readPermissions } from "../../../../proxy/auth/permissions.js";
import type { ParsedRequest } from "../../../../proxy/policy/parsed-request.js";
import { mayKill, type PolicyContext } from "../../../../proxy/policy/policy.js";

const OWN = 7;
const known: PolicyContext = {
  userid: 1,
  processCount: 1,
  isForeground: (_service, _rank, pid) => pid === OWN,
  labelOf: () => undefined,
};
const asked = (pid: number, signum: number): ParsedRequest => ({
  operation: "kill",
  topic: "rexec.kill",
  service: "rexec",
  ranks: [0],
  missing: [],
  background: false,
  flags: 0,
  pid,
  signum,
});

/** The end of the session would kill it anyway. */
test.each([
  ["scope", readPermissions("exec", undefined)],
  [
    "signals",
    readPermissions("exec kill", [{ type: "flux_subprocess", actions: ["kill"], signals: ["SIGINT"] }]),
  ],
  ["actions", readPermissions(undefined, [{ type: "flux_subprocess", actions: ["exec"] }])],
])("a session may end the processes that it may start, for any %s, and no others", (field, permissions) => {
  for (const signum of [9, 15])
    expect(mayKill(permissions, asked(OWN, signum), known)).toEqual({ allowed: true });
  const denied = { allowed: false, reason: `token does not allow kill: ${field}` };
  expect(mayKill(permissions, asked(OWN, 10), known)).toEqual(denied);
  expect(mayKill(permissions, asked(OWN + 1, 15), known)).toEqual(denied);
});
