import { describe, expect, test } from "vitest";
import { type ProxyOptions, proxyConfig } from "../../../proxy/config.js";

const options: ProxyOptions = { uri: "local:///run/x", jwks: { keys: [] }, issuer: "i", audience: "a" };

describe("proxyConfig", () => {
  test("fills in the defaults", () => {
    expect(proxyConfig(options)).toMatchObject({
      host: "127.0.0.1",
      port: 0,
      path: "/",
      helloTimeoutMs: 10_000,
    });
  });

  test("an option that is undefined is one that is absent", () => {
    expect(proxyConfig({ ...options, port: undefined, host: undefined })).toMatchObject({
      port: 0,
      host: "127.0.0.1",
    });
  });

  test.each([
    ["uri", "tcp://x", /broker URI "tcp:/],
    ["uri", undefined, /uri/],
    ["issuer", "", /issuer/],
    ["audience", undefined, /audience/],
    ["host", "", /host/],
    ["port", 65_536, /port/],
    ["port", 1.5, /port/],
    ["port", "80", /port/],
    ["path", "x", /path/],
    ["path", "/x?y", /path/],
    ["helloTimeoutMs", 0, /helloTimeoutMs/],
    ["brokerTimeoutMs", Number.POSITIVE_INFINITY, /brokerTimeoutMs/],
  ])("%s %j is refused by name", (name, value, message) => {
    const refuse = () => proxyConfig({ ...options, [name]: value } as ProxyOptions);
    expect(refuse).toThrow(TypeError);
    expect(refuse).toThrow(message);
  });
});
