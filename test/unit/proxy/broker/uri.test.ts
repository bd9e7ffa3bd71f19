import { describe, expect, test } from "vitest";
import { parseBrokerUri } from "../../../../proxy/broker/uri.js";

describe("parseBrokerUri", () => {
  test.each([
    ["local:///run/flux/local", "/run/flux/local"],
    ["local:///a%20b", "/a%20b"],
    ["local:///a b?c#d", "/a b?c#d"],
  ])("%s is %s", (uri, path) => expect(parseBrokerUri(uri)).toBe(path));

  test.each(["", "local://", "local:/run/x", "local://run/x", "ssh://host/run/x", "/run/x", "local:///a\0b"])(
    "%j is refused by name",
    (uri) => {
      const refuse = () => parseBrokerUri(uri);
      expect(refuse).toThrow(TypeError);
      expect(refuse).toThrow(JSON.stringify(uri));
    },
  );

  test("a path that a socket's address cannot hold is refused, not cut short", () => {
    expect(parseBrokerUri(`local:///${"x".repeat(106)}`)).toHaveLength(107);
    expect(() => parseBrokerUri(`local:///${"é".repeat(54)}`)).toThrow(TypeError);
  });
});
