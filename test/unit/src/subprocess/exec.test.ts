import { describe, expect, it, vi } from "vitest";
import { type ExecOptions, exec, type ProcessEvent } from "../../../../src/index.js";
import {
  bytes,
  end,
  failed,
  finished,
  openFlux,
  output,
  Recorder,
  settled,
  started,
} from "../../../support/peer.js";

/** A process that was requested, and the events that its subscriber gets. */
async function running(options: ExecOptions = {}) {
  const { flux, proxy } = await openFlux();
  const recorder = new Recorder<ProcessEvent>();
  const subscription = exec(flux, ["a"], options).subscribe(recorder);
  await settled();
  return { flux, proxy, recorder, subscription, ...recorder };
}

const opts = { stdout_LINE_BUFFER: "false", stderr_LINE_BUFFER: "false" };
const cmd = { cmdline: ["a"], env: {}, opts, channels: [] };

describe("exec: the request", () => {
  it.each<[ExecOptions, string, string, object]>([
    [{}, "rexec.exec", "any", { cmd, flags: 11 }],
    [{ stdout: false }, "rexec.exec", "any", { cmd, flags: 10 }],
    [{ stderr: false }, "rexec.exec", "any", { cmd, flags: 9 }],
    [{ channels: ["C"] }, "rexec.exec", "any", { cmd: { ...cmd, channels: ["C"] }, flags: 15 }],
    [{ nodeid: 3, service: "sdexec" }, "sdexec.exec", "3", { cmd, flags: 3 }],
    [{ nodeid: "all" }, "rexec.exec", "all", { cmd, flags: 11 }],
    [{ nodeid: "[0-1]" }, "rexec.exec", "[0-1]", { cmd, flags: 11 }],
    [
      {
        label: "l",
        cwd: "/",
        checkCwd: false,
        env: { A: "1" },
        opts: { stdout_LINE_BUFFER: "true", x: "y" },
      },
      "rexec.exec",
      "any",
      {
        cmd: {
          ...cmd,
          label: "l",
          cwd: "/",
          env: { A: "1" },
          opts: { ...opts, stdout_LINE_BUFFER: "true", x: "y" },
        },
        flags: 11,
      },
    ],
  ])("with %j", async (options, topic, nodeid, payload) => {
    const { proxy } = await running(options);
    expect(proxy.received).toEqual([
      { type: "request", id: 1, topic, nodeid, streaming: true, payload },
      { type: "eof", id: 1, stream: "stdin" },
    ]);
  });

  it.each<[string, object]>([
    ["killGrace", { killGrace: -1 }],
    ["killGrace", { killGrace: Number.NaN }],
    ["killGrace", { killGrace: Number.POSITIVE_INFINITY }],
    ["killGrace", { killGrace: 2 ** 31 }],
    ["killGrace", { killGrace: "5" }],
    ["nodeid", { nodeid: "0-" }],
    ["nodeid", { nodeid: "" }],
    ["nodeid", { nodeid: -1 }],
    ["stdin", { stdin: 7 }],
    ["stdin", { stdin: null }],
    ["stdin", { stdin: {} }],
    ["label", { label: "" }],
    ["service", { service: "a b" }],
    // The proxy takes a request to it for one that has no input, and its input for a fault of the client's.
    ["service", { service: "frob" }],
  ])("is refused at once for a wrong %s: %j", async (_, options) => {
    const { flux, proxy } = await openFlux();
    expect(() => exec(flux, ["a"], options)).toThrow(TypeError);
    await settled();
    expect(proxy.received).toEqual([]);
  });
});

describe("exec: events", () => {
  it("are all events of the process, until all output is delivered", async () => {
    const { proxy, values, ends } = await running();
    proxy.send(started(1), output(1, "x"), finished(1, 256), output(1, "y", 0, "stderr"));
    proxy.send({ type: "response", id: 1, rank: 0, payload: { type: "stopped" } });
    proxy.send({ type: "eof", id: 1, rank: 0, stream: "stdout" });
    await settled();
    expect(values).toEqual([
      { type: "started", rank: 0, pid: 100, matchtag: 1 },
      { type: "output", rank: 0, stream: "stdout", data: bytes("x") },
      { type: "finished", rank: 0, outcome: { kind: "exited", code: 1 } },
      { type: "output", rank: 0, stream: "stderr", data: bytes("y") },
      { type: "stopped", rank: 0 },
      { type: "eof", rank: 0, stream: "stdout" },
    ]);
    expect(ends).toEqual([]);
    proxy.send(end(1));
    await settled();
    expect(ends).toEqual(["completed"]);
  });

  it("of one rank that fails are its error", async () => {
    const { proxy, values, ends } = await running();
    proxy.send(failed(1, 2, 0, "error launching process"));
    await settled();
    expect(values).toEqual([]);
    expect(ends).toMatchObject([
      { code: "ENOENT", reason: "error launching process", topic: "rexec.exec", rank: 0 },
    ]);
  });

  it("say that the end of a lost process is unknown", async () => {
    const { proxy, values, ends } = await running();
    proxy.send(started(1), failed(1, 113));
    await settled();
    expect(values.slice(1)).toMatchObject([
      { type: "finished", rank: 0, outcome: { kind: "unknown", cause: { code: "EHOSTUNREACH" } } },
    ]);
    expect(ends).toMatchObject([{ code: "EHOSTUNREACH" }]);
  });

  it("do not end well when output was lost after the process had finished", async () => {
    const { proxy, values, ends } = await running();
    proxy.send(started(1), finished(1), failed(1, 104, 0, "lost"));
    await settled();
    expect(values.slice(1)).toEqual([{ type: "finished", rank: 0, outcome: { kind: "exited", code: 0 } }]);
    expect(ends).toMatchObject([{ code: "ECONNRESET", reason: "lost" }]);
  });

  it("of several ranks go on when one fails", async () => {
    const { proxy, values, ends } = await running({ nodeid: "0-2" });
    proxy.send(failed(1, 113, 1), started(1, 0), started(1, 2), failed(1, 104, 2));
    proxy.send(finished(1, 0, 0), end(1, 0));
    await settled();
    expect(values).toMatchObject([
      { type: "error", rank: 1, error: { code: "EHOSTUNREACH", rank: 1 } },
      { type: "started", rank: 0, pid: 100 },
      { type: "started", rank: 2, pid: 102 },
      { type: "error", rank: 2, error: { code: "ECONNRESET" } },
      { type: "finished", rank: 2, outcome: { kind: "unknown", cause: { code: "ECONNRESET" } } },
      { type: "finished", rank: 0, outcome: { kind: "exited", code: 0 } },
    ]);
    expect(ends).toEqual(["completed"]);
  });

  it("of several ranks error with the first when none has an outcome", async () => {
    const { proxy, values, ends } = await running({ nodeid: "0-1" });
    proxy.send(failed(1, 13, 1), failed(1, 2, 0));
    await settled();
    expect(values).toMatchObject([
      { type: "error", rank: 1 },
      { type: "error", rank: 0 },
    ]);
    expect(ends).toMatchObject([{ code: "EACCES" }]);
  });

  it("end with the session", async () => {
    const { flux, proxy, values, ends } = await running({ nodeid: "0-1" });
    proxy.send(started(1, 0), started(1, 1), finished(1, 0, 0));
    await settled();
    flux.close();
    await settled();
    expect(values.slice(3)).toMatchObject([
      { type: "finished", rank: 1, outcome: { kind: "unknown", cause: { code: "ECANCELED" } } },
    ]);
    expect(ends).toMatchObject([{ code: "ECANCELED", topic: "rexec.exec" }]);
  });
});

describe("exec: output that is not taken in time", () => {
  it("is dealt with as the caller says", async () => {
    for (const overflow of ["stop", "gap", "kill"] as const) {
      const { proxy } = await running({ overflow });
      expect(proxy.requests).toMatchObject([{ overflow }]);
    }
    const { flux } = await openFlux();
    expect(() => exec(flux, ["a"], { overflow: "drop" as "gap" })).toThrow(
      new TypeError('overflow is not "stop", "gap" or "kill"'),
    );
  });

  it("has a gap where it is missing", async () => {
    const { proxy, values } = await running();
    proxy.send(started(1), { type: "gap", id: 1, rank: 0, stream: "stdout", bytes: 5 }, output(1, "x"));
    await settled();
    expect(values.slice(1)).toMatchObject([
      { type: "gap", rank: 0, stream: "stdout", bytes: 5 },
      { type: "output" },
    ]);
  });

  it("is consumed when it was given out, also after its subscriber has left", async () => {
    const { proxy, subscription } = await running();
    proxy.send(started(1), output(1, "x".repeat(16_384)));
    await settled();
    subscription.unsubscribe();
    proxy.send(output(1, "y".repeat(16_384), 0, "stderr"), output(1, "z"));
    await settled();
    const all = { type: "consumed", id: 1, rank: 0 };
    expect(proxy.consumed).toEqual([
      { ...all, stream: "stdout", bytes: 16_384 },
      { ...all, stream: "stderr", bytes: 16_384 },
    ]);
    await vi.waitFor(() => expect(proxy.consumed.at(-1)).toEqual({ ...all, stream: "stdout", bytes: 1 }));
  });
});

describe("exec: payloads that RFC 42 does not have", () => {
  it.each([
    {},
    { type: "odd" },
    { type: "started" },
    { type: "started", pid: 0 },
    { type: "started", pid: "7" },
    { type: "finished" },
    { type: "finished", status: "0" },
    { type: "finished", status: 1.5 },
    { type: "finished", status: 0x137f },
    { type: "finished", status: 0x10000 },
    { type: "finished", status: -1 },
  ])("fails the rank, and not the session: %j", async (payload) => {
    const { flux, proxy, values, ends } = await running({ nodeid: "0-1" });
    proxy.send({ type: "response", id: 1, rank: 1, payload }, end(1, 1));
    proxy.send(started(1), finished(1), end(1));
    await settled();
    expect(values).toMatchObject([
      { type: "error", rank: 1, error: { code: "EPROTO", rank: 1 } },
      { type: "started", rank: 0 },
      { type: "finished", rank: 0 },
    ]);
    expect(ends).toEqual(["completed"]);
    expect(flux.session.status.state).toBe("open");
  });

  it("is the error of a single rank", async () => {
    const { proxy, values, ends } = await running();
    proxy.send(
      started(1),
      { type: "response", id: 1, rank: 0, payload: { type: "finished", status: 0x7f } },
      end(1),
    );
    await settled();
    expect(values.slice(1)).toMatchObject([
      { type: "finished", outcome: { kind: "unknown", cause: { code: "EPROTO" } } },
    ]);
    expect(ends).toMatchObject([{ code: "EPROTO" }]);
  });

  it("is an end before finished", async () => {
    const { proxy, values, ends } = await running();
    proxy.send(started(1), end(1));
    await settled();
    expect(values.slice(1)).toMatchObject([
      { type: "finished", outcome: { kind: "unknown", cause: { code: "EPROTO" } } },
    ]);
    expect(ends).toMatchObject([{ code: "EPROTO", reason: "the process did not finish", rank: 0 }]);
  });
});
