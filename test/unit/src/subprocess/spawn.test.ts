import { describe, expect, it } from "vitest";
import { Flux, spawn } from "../../../../src/index.js";
import { SessionToken } from "../../../../src/session/session-token.js";
import { Sessions } from "../../../../src/session/sessions.js";
import {
  bytes,
  end,
  failed,
  finished,
  inputOf,
  openFlux,
  output,
  ScriptedProxy,
  settled,
  started,
} from "../../../support/peer.js";

const spawned = async (options = {}) => {
  const { flux, proxy } = await openFlux();
  const child = spawn(flux, ["a"], options);
  await settled();
  return { flux, proxy, child };
};

const settledState = async (promise: Promise<unknown>) => {
  let state = "pending";
  promise.then(
    () => (state = "fulfilled"),
    () => (state = "rejected"),
  );
  await settled();
  return state;
};

describe("spawn", () => {
  it("starts at once, with stdin open", async () => {
    const { proxy } = await spawned({ nodeid: 2 });
    expect(proxy.received).toMatchObject([
      { type: "request", topic: "rexec.exec", nodeid: "2", streaming: true },
    ]);
  });

  it("gives pid, output and status", async () => {
    const { proxy, child } = await spawned();
    proxy.send(started(1, 0, 77), output(1, "out"), output(1, "err", 0, "stderr"), finished(1, 256), end(1));
    expect(await child.pid).toBe(77);
    expect(proxy.received).toHaveLength(1);
    expect(await child.output()).toEqual({
      success: false,
      code: 1,
      signal: null,
      stdout: bytes("out"),
      stderr: bytes("err"),
    });
  });

  it("closes stdin to read all output, unless somebody writes to it", async () => {
    for (const writing of [false, true]) {
      const { proxy, child } = await spawned();
      if (writing) child.stdin.getWriter();
      child.output().catch(() => {});
      await settled();
      expect(proxy.received.slice(1)).toEqual(writing ? [] : [{ type: "eof", id: 1, stream: "stdin" }]);
    }
  });

  it.each([
    [0, { success: true, code: 0, signal: null }],
    [0xff00, { success: false, code: 255, signal: null }],
    [9, { success: false, code: 137, signal: "SIGKILL" }],
    [0x80 | 6, { success: false, code: 134, signal: "SIGABRT" }],
  ])("makes the wait status %d a status", async (status, expected) => {
    const { proxy, child } = await spawned();
    proxy.send(started(1), finished(1, status), end(1));
    expect(await child.status).toEqual(expected);
  });

  it("settles the status when the process has ended, though output may follow", async () => {
    const { proxy, child } = await spawned();
    proxy.send(started(1));
    expect(await settledState(child.status)).toBe("pending");
    proxy.send(finished(1));
    expect(await settledState(child.status)).toBe("fulfilled");
    proxy.send(output(1, "late"), end(1));
    expect(await new Response(child.stdout).text()).toBe("late");
  });

  it("writes input as its credit allows, then its end", async () => {
    const { proxy, child } = await spawned();
    const writer = child.stdin.getWriter();
    const written = [writer.write("ab"), writer.write(bytes("c"))];
    proxy.send(started(1), { type: "credit", id: 1, stream: "stdin", bytes: 2 });
    await settled();
    expect([inputOf(proxy), await settledState(written[0] as Promise<void>)]).toEqual(["ab", "fulfilled"]);
    expect(await settledState(written[1] as Promise<void>)).toBe("pending");
    proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 2 });
    await writer.close();
    await settled();
    expect(inputOf(proxy)).toBe("abc");
    expect(proxy.received.at(-1)).toEqual({ type: "eof", id: 1, stream: "stdin" });
  });

  it("rejects all when it could not start", async () => {
    const { proxy, child } = await spawned();
    const reading = child.stdout.getReader().read();
    const writing = child.stdin.getWriter().write("x");
    proxy.send(failed(1, 2));
    for (const promise of [child.pid, child.status, reading]) {
      await expect(promise).rejects.toMatchObject({ code: "ENOENT" });
    }
    await expect(writing).rejects.toMatchObject({ code: "EPIPE" });
    await expect(child.kill()).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("has no status if the outcome is unknown", async () => {
    const { flux, proxy, child } = await spawned();
    proxy.send(started(1));
    await settled();
    flux.close();
    await expect(child.status).rejects.toMatchObject({ code: "ECANCELED" });
    await expect(child.stderr.getReader().read()).rejects.toMatchObject({ code: "ECANCELED" });
    expect(await child.pid).toBe(100);
  });

  it("knows the status, and that output was lost, where it was lost after it had finished", async () => {
    const { proxy, child } = await spawned();
    const all = child.output();
    proxy.send(started(1), output(1, "x"), finished(1), failed(1, 104));
    expect(await child.status).toEqual({ success: true, code: 0, signal: null });
    await expect(all).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("drops the output of a stream that was cancelled, and of channels", async () => {
    const { proxy, child } = await spawned({ channels: ["constructor"] });
    await child.stdout.cancel();
    proxy.send(started(1), output(1, "x"), output(1, "y", 0, "constructor"));
    proxy.send({ type: "eof", id: 1, rank: 0, stream: "constructor" });
    proxy.send(output(1, "z", 0, "stderr"), finished(1), end(1));
    expect(await child.status).toMatchObject({ code: 0 });
    expect(await new Response(child.stderr).text()).toBe("z");
  });

  it("sends a signal when it has started", async () => {
    const { proxy, child } = await spawned({ service: "sdexec" });
    const killed = child.kill("SIGUSR1");
    await settled();
    expect(proxy.requests).toHaveLength(1);
    proxy.send(started(1));
    await settled();
    expect(proxy.requests[1]).toMatchObject({
      topic: "sdexec.kill",
      nodeid: "0",
      payload: { pid: 100, signum: 10 },
    });
    proxy.send({ type: "response", id: 2, rank: 0, payload: {} });
    expect(await killed).toBeUndefined();
  });

  it("cannot be killed when it is over", async () => {
    const { proxy, child } = await spawned();
    proxy.send(started(1), finished(1), end(1));
    await child.status;
    await expect(child.kill()).rejects.toMatchObject({ code: "ESRCH" });
    await expect(child.kill(0)).rejects.toBeInstanceOf(TypeError);
  });

  it("is ended by dispose, which waits until it is gone", async () => {
    const { proxy, child } = await spawned();
    proxy.send(started(1));
    await settled();
    const disposed = child[Symbol.asyncDispose]();
    await settled();
    expect(proxy.requests[1]).toMatchObject({ topic: "rexec.kill", payload: { pid: 100, signum: 15 } });
    expect(await settledState(disposed)).toBe("pending");
    proxy.send(finished(1, 15), end(1));
    expect(await settledState(disposed)).toBe("fulfilled");
    expect(await child.status).toMatchObject({ signal: "SIGTERM" });
  });

  it("that was disposed of before it was sent is never started, and reports that", async () => {
    const proxy = new ScriptedProxy();
    const flux = new Flux(new Sessions(proxy.connector, new SessionToken(async () => "token", undefined)));
    const child = spawn(flux, ["a"]);
    const writing = child.stdin.getWriter().write("x");
    writing.catch(() => {});
    expect(await settledState(child[Symbol.asyncDispose]())).toBe("fulfilled");
    proxy.welcome();
    await settled();
    expect(proxy.received).toEqual([]);
    await expect(child.status).rejects.toMatchObject({ code: "ECANCELED" });
    await expect(child.pid).rejects.toMatchObject({ code: "ECANCELED" });
    expect(await settledState(writing)).toBe("rejected");
  });

  it("refuses a wrong argument at once", async () => {
    const { flux } = await openFlux();
    expect(() => spawn(flux, [])).toThrow(TypeError);
    expect(() => spawn(flux, ["a"], { nodeid: "0-1" as unknown as number })).toThrow(TypeError);
  });
});
