import { describe, expect, test } from "vitest";
import { isWatch, parseRequest } from "../../../../proxy/policy/parsed-request.js";
import { noneSigner } from "../../../../src/signing/none.js";
import { signedPayload } from "../../../../src/signing/signer.js";

const read = (topic: string, payload: object, streaming = false) =>
  parseRequest(
    {
      ...{ type: "request", seq: 1, id: 1, nodeid: "0", sign: false },
      ...{ topic, streaming, payload: payload as Record<string, unknown> },
    } as Parameters<typeof parseRequest>[0],
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
    ["rexec.watch", true, "stream"],
    ["kvs.list", true, "stream"],
    ["kvs.list", false, "rpc"],
    ["event.subscribe", true, "events"],
    ["event.subscribe", false, "rpc"],
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
      topic: "rexec.exec",
      service: "rexec",
      ranks: [0],
      missing: [],
      background: false,
      flags: 11,
      argv: ["a", "b"],
      env: ["A", "B"],
      channels: [],
      opts: [],
      label: "l",
    });
    expect(read("rexec.exec", { cmd, flags: "11" })).toMatchObject({ background: true, flags: 0 });
  });

  test.each([
    ["rexec.exec", {}, "cmd is not an object"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: "a" } }, "cmdline is not an array"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], env: [] } }, "env is not an object"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], env: { "a\0": "" } } }, "env is not text"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], label: null } }, "label is not a string"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], label: "" } }, "label is empty"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], channels: "A" } }, "channels is not an array"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], channels: ["A\0"] } }, "channels is not text"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], cwd: 7 } }, "cwd is not text"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], opts: [] } }, "opts is not an object"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], msgchans: [{}] } }, "cmd has message channels"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], msgchan: {} } }, "cmd has message channels"],
    ["rexec.exec", { flags: 0, cmd: { cmdline: [], "x\n": 1 } }, 'cmd has the field "x\\n"'],
    ["rexec.exec", { flags: 0, cmd: {}, x: 1 }, 'the request has the field "x"'],
    ["rexec.exec", { cmd: { cmdline: [] } }, "flags is not an integer"],
    ["rexec.exec", { flags: 32, cmd: { cmdline: [] } }, "flags has a bit beyond 31"],
    ["rexec.exec", { flags: -1, cmd: { cmdline: [] } }, "flags has a bit beyond 31"],
    ["rexec.exec", { flags: 0, local_flags: 1, cmd: { cmdline: [] } }, "local_flags has a bit beyond 0"],
    ["rexec.attach", { pid: 1, flags: 8 }, "flags has a bit beyond 7"],
    ["rexec.kill", { pid: 1, signum: 1, x: "y" }, 'the request has the field "x"'],
    ["rexec.kill", { pid: 2 ** 32 + 1, label: "l", signum: 1 }, "pid is not an integer"],
    ["rexec.wait", { label: "x" }, "pid is not an integer"],
    ["rexec.list", { ["x".repeat(100)]: 1 }, `the request has the field "${"x".repeat(64)}"`],
  ])("%s %j: %s", (topic, payload, unreadable) => {
    expect(read(topic, payload)).toMatchObject({ unreadable });
  });

  test.each(["kill", "attach", "wait"])(
    "%s of a wrong pid is refused, and the error has the pid",
    (method) => {
      const rest = { signum: 9, flags: 0 };
      for (const pid of [0, -1, 1.5, 2 ** 31, 2 ** 32 + 7, -(2 ** 32) + 7]) {
        const forbidden = "pid is not an integer of 1 to 2147483647";
        expect(read(`rexec.${method}`, { ...rest, pid }, method === "attach")).toMatchObject({
          forbidden,
          pid,
        });
        expect(read(`rexec.${method}`, { ...rest, pid, label: "l" })).not.toHaveProperty("forbidden");
      }
      for (const pid of [1, 2 ** 31 - 1]) {
        expect(read(`rexec.${method}`, { ...rest, pid })).not.toHaveProperty("forbidden");
      }
    },
  );

  test("an empty list of message channels is allowed", () => {
    const cmd = { cmdline: ["a"], msgchan: [], msgchans: [] };
    expect(read("rexec.exec", { cmd, flags: 0 })).not.toHaveProperty("unreadable");
  });

  test("only the signed content counts", async () => {
    const signed = await signedPayload(noneSigner(7), "rexec.kill", { pid: 1, signum: 9 });
    expect(read("rexec.kill", { ...signed, pid: 2, signum: 15, label: "x" })).toEqual({
      operation: "kill",
      topic: "rexec.kill",
      service: "rexec",
      ranks: [0],
      missing: [],
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

  test.each([
    ["rexec", true],
    ["rexec.disconnect", true],
    ["rexec.stats-get", true],
    ["sdexec.shutdown", true],
    ["job-exec.rexec.stats", true],
    ["1001-shell-f6sYx2X9.rexec.stats", true],
    ["1001-shell-f6sYx2X9.terminus.new", true],
    ["1001-shell-f6sYx2X9.stdin", true],
    ["1001-terminus.new", true],
    ["1001-terminus.0", true],
    ["1001-anything.at.all", true],
    ["my-terminus.new", true],
    ["attr.get", false],
    ["job-list.list", false],
    ["rexecutor.list", false],
    ["sdexec-mapper.ping", false],
    ["x1001-shell.list", false],
  ])("rpc never reaches %s: %s", (topic, beyond) => {
    expect("forbidden" in read(topic, {})).toBe(beyond);
  });
});
