import { describe, expect, test } from "vitest";
import { isWatch, readRequest } from "../../../../proxy/policy/asked.js";
import { noneSigner } from "../../../../src/signing/none.js";
import { signedPayload } from "../../../../src/signing/signer.js";

const read = (topic: string, payload: object, streaming = false) =>
  readRequest(
    {
      ...{ type: "request", seq: 1, id: 1, nodeid: "0", sign: false },
      ...{ topic, streaming, payload: payload as Record<string, unknown> },
    } as Parameters<typeof readRequest>[0],
    [0],
  );

describe("readRequest", () => {
  test.each([
    ["rexec.exec", "exec", "rexec"],
    ["sdexec.kill", "kill", "sdexec"],
    ["1001-shell-f6sYx2X9.rexec.list", "list", "1001-shell-f6sYx2X9.rexec"],
    ["rexec.write", "write", "rexec"],
    ["rexec.disconnect", "rpc", "rexec"],
    ["rexec.constructor", "rpc", "rexec"],
    ["rexec.rexec.exec", "exec", "rexec.rexec"],
    ["xrexec.exec", "rpc", "xrexec"],
    ["rexec.sdexec.exec", "rpc", "rexec.sdexec"],
    ["exec", "rpc", "exec"],
    ["rexec", "rpc", "rexec"],
    [".exec", "rpc", ""],
  ])("%s is %s of %s", (topic, operation, service) => {
    expect(read(topic, {})).toMatchObject({ operation, service });
  });

  test.each([
    ["rexec.list", true, "watch"],
    ["x.rexec.list", true, "watch"],
    ["rexec.list", false, "list"],
    ["rexec.watch", true, "rpc"],
    ["kvs.list", true, "rpc"],
    ["rexec.kill", true, "kill"],
  ])(
    "%s is a watch if it is a list of a subprocess server that streams: %s, %s",
    (topic, streaming, operation) => {
      expect(read(topic, {}, streaming).operation).toBe(operation);
      expect(isWatch({ topic, streaming } as Parameters<typeof isWatch>[0])).toBe(operation === "watch");
    },
  );

  test("an exec", () => {
    const cmd = { cmdline: ["a", "b"], env: { A: "secret", B: "" }, label: "l" };
    expect(read("rexec.exec", { cmd, flags: 11 }, true)).toEqual({
      operation: "exec",
      service: "rexec",
      ranks: [0],
      background: false,
      flags: 11,
      argv: ["a", "b"],
      env: ["A", "B"],
      label: "l",
    });
    expect(read("rexec.exec", { cmd, flags: "11" })).toMatchObject({ background: true, flags: 0 });
  });

  test.each([
    ["rexec.exec", {}, "cmd is not an object"],
    ["rexec.exec", { cmd: { cmdline: "a" } }, "cmdline is not an array"],
    ["rexec.exec", { cmd: { cmdline: [], env: [] } }, "env is not an object"],
    ["rexec.exec", { cmd: { cmdline: [], env: { "a\0": "" } } }, "env is not text"],
    ["rexec.exec", { cmd: { cmdline: [], label: null } }, "label is not text"],
    ["rexec.kill", { pid: 1.5, signum: 1 }, "pid is not an integer"],
    ["rexec.kill", { pid: -(2 ** 32) + 1, signum: 1 }, "pid is not an integer"],
    ["rexec.wait", { label: "x" }, "pid is not an integer"],
  ])("%s %j: %s", (topic, payload, unreadable) => {
    expect(read(topic, payload)).toMatchObject({ unreadable });
  });

  test("what was signed counts, and nothing beside it", async () => {
    const signed = await signedPayload(noneSigner(7), "rexec.kill", { pid: 1, signum: 9 });
    expect(read("rexec.kill", { ...signed, pid: 2, signum: 15, label: "x" })).toEqual({
      operation: "kill",
      service: "rexec",
      ranks: [0],
      background: false,
      flags: 0,
      signer: 7,
      pid: 1,
      signum: 9,
    });
  });

  test("of two fields of one name the last counts, as for the server", async () => {
    const signature = await noneSigner(7).sign('{"topic":"rexec.wait","pid":1,"\\u0070id":2}');
    expect(read("rexec.wait", { signature })).toMatchObject({ pid: 2 });
  });

  test("an rpc may have a signature of its own", () => {
    expect(read("job-ingest.submit", { signature: 7 })).not.toHaveProperty("signer");
  });
});
