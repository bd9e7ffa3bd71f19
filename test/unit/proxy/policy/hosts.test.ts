import { expect, test } from "vitest";
import { readPermissions } from "../../../../proxy/auth/permissions.js";
import { visibleHosts } from "../../../../proxy/policy/hosts.js";

const detail = (fields: object) => [{ type: "flux_subprocess", ...fields }];

test.each<[string | undefined, object[] | undefined, string | number[]]>([
  ["hosts", undefined, [0, 1, 2, 3]],
  ["exec hosts", detail({ actions: ["hosts"], ranks: "1-2" }), [1, 2]],
  [undefined, detail({ actions: ["hosts"] }), [0, 1, 2, 3]],
  [
    undefined,
    [...detail({ actions: ["hosts"], ranks: "0" }), ...detail({ actions: ["hosts", "exec"], ranks: "3" })],
    [0, 3],
  ],
  // Fields about processes say nothing about hosts.
  [undefined, detail({ actions: ["exec", "hosts"], services: ["sdexec"], labels: ["a"], ranks: "2" }), [2]],
  [undefined, undefined, "token does not allow hosts: it has no permissions"],
  ["exec attach write kill wait list watch rpc", undefined, "token does not allow hosts: scope"],
  ["exec", detail({ actions: ["hosts"] }), "token does not allow hosts: scope"],
  [
    "hosts",
    detail({ actions: ["exec", "rpc"], topics: ["flux-subprocess.*"] }),
    "token does not allow hosts: actions",
  ],
  [undefined, [...detail({ actions: ["exec"] }), ...detail({ actions: ["hosts"], ranks: "3" })], [3]],
])("scope %j and details %j show %j", (scope, details, expected) => {
  const visible = visibleHosts(readPermissions(scope, details));
  expect(typeof visible === "string" ? visible : [0, 1, 2, 3].filter(visible)).toEqual(expected);
});
