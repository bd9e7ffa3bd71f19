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
    ["helloTimeoutMs", 0.5],
    ["graceMs", 0],
    ["maxGraceMs", 604_800_000],
    ["longSessionsPerSubject", 0],
    ["signer", { mechanism: "munge" }],
    ["signer", { mechanism: "x", userid: 1, sign: async () => "" }],
    ["audit", "/var/log/audit"],
    ["audit", process.stderr],
    ["users", { alice: 1000 }],
  ])("%s %j is taken as it is", (name, value) => {
    expect(proxyConfig({ ...options, [name]: value } as ProxyOptions)).toHaveProperty(name, value);
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
    [
      "pingIntervalMs",
      2 ** 31,
      /^pingIntervalMs is not a number of milliseconds above 0 and below 2147483648$/,
    ],
    ["host", null, /^host is not a string of 1 character or more$/],
    ["port", -1, /^port is not an integer of 0 to 65535$/],
    ["graceMs", 1.5, /^graceMs is not an integer of milliseconds, 0 to 604800000$/],
    ["maxGraceMs", 604_800_001, /^maxGraceMs is not an integer of milliseconds, 0 to 604800000$/],
    ["attaches", 0, /^attaches is not an integer of 1 or more$/],
    ["gateway", "yes", /^gateway is not a boolean$/],
    ["signer", { mechanism: "rsa" }, /^signer is not a signer, or its options with the mechanism none, /],
    ["signer", { sign: true }, /^signer/],
    ["audit", "", /^audit is not the path of a file, a stream or false$/],
    ["audit", {}, /^audit/],
    ["onFault", "log", /^onFault is not a function$/],
  ])("%s %j is refused by name", (name, value, message) => {
    const refuse = () => proxyConfig({ ...options, [name]: value } as ProxyOptions);
    expect(refuse).toThrow(TypeError);
    expect(refuse).toThrow(message);
  });
});
