import { describe, expect, it, test } from "vitest";
import { HostNames } from "../../../../proxy/hosts/host-names.js";
import { FluxError } from "../../../../src/errors.js";

const all = () => true;
const four = new HostNames("node[1-3],login", 4);

const refusal = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (error) {
    if (error instanceof FluxError) return [error.code, error.message];
    throw error;
  }
};

describe("HostNames", () => {
  test.each<[string | undefined, string, string[]]>([
    [undefined, "0-3", ["node1", "node2", "node3", "login"]],
    ["node2", "1", ["node2"]],
    ["login,node[1-2]", "0-1,3", ["node1", "node2", "login"]],
    ["node1,node1", "0", ["node1"]],
  ])("%j has the ranks %s", (hostlist, ranks, hosts) => {
    expect(four.find(hostlist, all)).toEqual({ ranks, hosts });
  });

  it("gives all ranks of a name", () => {
    const names = new HostNames("vm,other,vm,vm", 4);
    expect(names.find("vm", all)).toEqual({ ranks: "0,2-3", hosts: ["vm", "vm", "vm"] });
  });

  test.each<[string, string, string]>([
    ["node[1-9]", "EHOSTUNREACH", "no such host: node4,node5,node6,node7,node8,node9"],
    ["x[0-99]", "EHOSTUNREACH", "no such host: x0,x1,x2,x3,x4,x5,x6,x7 and 92 more"],
    ["node1,node9", "EHOSTUNREACH", "no such host: node9"],
    ["node[", "EINVAL", "not a hostlist"],
    [",", "EINVAL", "the hostlist has no names"],
    ["n".repeat(65_537), "EINVAL", "the hostlist is over 65536 characters"],
    ["n[0-256]", "EINVAL", "a hostlist has over 256 names"],
  ])("%.20s is %s", (hostlist, code, message) => {
    expect(refusal(() => four.find(hostlist, all))).toEqual([code, message]);
  });

  it("shows a host that the client may not know as one that does not exist", () => {
    const visible = (rank: number) => rank !== 1;
    expect(refusal(() => four.find("node[1-2]", visible))).toEqual(["EHOSTUNREACH", "no such host: node2"]);
    expect(four.find("node1", visible)).toEqual({ ranks: "0", hosts: ["node1"] });
    expect(four.find(undefined, visible)).toEqual({ ranks: "0,2-3", hosts: ["node1", "node3", "login"] });
    const shared = new HostNames("vm,vm,vm,vm", 4);
    expect(shared.find("vm", visible)).toEqual({ ranks: "0,2-3", hosts: ["vm", "vm", "vm"] });
    expect(four.find(undefined, () => false)).toEqual({ ranks: "", hosts: [] });
  });

  test.each([undefined, "", "node[1-3]", "node[1-5]", "node[1-4", "a,".repeat(500_000)])(
    "does not know the names if the broker has the hostlist %.10s",
    (hostlist) => {
      const names = new HostNames(hostlist, 4);
      expect(refusal(() => names.find("node1", all))).toEqual([
        "ENODATA",
        "the broker does not say which hosts its instance has",
      ]);
    },
  );

  it("finds the hosts of 65,536 ranks in little time", () => {
    const names = new HostNames("node[0-65535]", 65_536);
    const began = performance.now();
    expect(names.find("node[0-65535]", all)).toMatchObject({ ranks: "0-65535", hosts: { length: 65_536 } });
    const same = new HostNames(new Array(65_536).fill("vm").join(), 65_536);
    // A name counts once, however often the client says it: its ranks are not multiplied.
    expect(same.find(new Array(16_384).fill("vm").join(), all).hosts).toHaveLength(65_536);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
