import { describe, expect, it, test } from "vitest";
import { decodeHostlist } from "../../../../proxy/hosts/hostlist.js";

describe("decodeHostlist", () => {
  // The first ones are from RFC 29; the others are what flux-core does.
  test.each<[string, string]>([
    ["foo[1-3]", "foo1,foo2,foo3"],
    ["foo[1-3,5]", "foo1,foo2,foo3,foo5"],
    ["n[005,4]", "n005,n4"],
    ["vm,vm,vm,vm", "vm,vm,vm,vm"],
    ["p[00-3]p", "p00p,p01p,p02p,p03p"],
    ["[00-03]p", "00p,01p,02p,03p"],
    ["n[8-11]", "n8,n9,n10,n11"],
    ["n[08-11]", "n08,n09,n10,n11"],
    ["foo[1,3]-bar", "foo1-bar,foo3-bar"],
    ["i[3,1,1]", "i3,i1,i1"],
    [",a,,b,", "a,b"],
    ["fooi,foo[1-2]", "fooi,foo1,foo2"],
    ["14636", "14636"],
    ["", ""],
  ])("%j", (text, names) => {
    expect(decodeHostlist(text, 100).join()).toBe(names);
  });

  test.each([
    ...["[]", "foo[]", "foo[", "foo[1,3", "foo[[1,3]", "foo]", "foo[x-y]", "foo[0-1,2--5]", "n[2-1]"],
    ...["n[1-2][3-4]", "a b", "a\n", "n[1,,2]", "n[-1]", "n[1-]", "n[1234567890123456]", "n[ 1]"],
  ])("%j is not a hostlist", (text) => {
    expect(() => decodeHostlist(text, 100)).toThrow(TypeError);
  });

  it("limits the length of a name", () => {
    expect(decodeHostlist("a".repeat(255), 1)).toHaveLength(1);
    expect(() => decodeHostlist("a".repeat(256), 1)).toThrow("a name of over 255 characters");
    expect(() => decodeHostlist(`${"a".repeat(60_000)}[0-65535]`, 65_536)).toThrow("over 255 characters");
  });

  // Each would take seconds, or gigabytes, without a limit.
  test.each<[string, string, number]>([
    ["many names", "a,".repeat(500_000), 65_536],
    ["many empty names", ",".repeat(500_000), 65_536],
    ["a large range", "n[0-999999999999999]", 65_536],
    ["many ranges", `n[${"0-9,".repeat(100_000)}0]`, 65_536],
    ["an open bracket", `n[${"1,".repeat(500_000)}`, 65_536],
    ["open brackets", "n[".repeat(500_000), 65_536],
    ["one long name", "n".repeat(1_000_000), 65_536],
    ["digits", `n[${"1".repeat(1_000_000)}]`, 65_536],
    ["hyphens", `n[${"-".repeat(1_000_000)}]`, 65_536],
  ])("does not hold the event loop: %s", (_, text, max) => {
    const began = performance.now();
    try {
      expect(decodeHostlist(text, max)).toEqual([]);
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
    }
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
