/** An AbortSignal on each call: it fails with the signal's reason, as fetch does, and an unsent request stays unsent. */
import type { Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import {
  attach,
  exec,
  type Flux,
  kill,
  list,
  type Rpc,
  rexecBg,
  spawn,
  wait,
  watch,
  write,
} from "../../../src/index.js";
import { openFlux, Recorder, settled, started } from "../../support/peer.js";

type Signaled = { signal?: AbortSignal | undefined };

const rpcs: [string, (flux: Flux, options: Signaled) => Rpc<unknown>][] = [
  ["rpc", (flux, options) => flux.rpc("a.b", {}, options)],
  ["kill", (flux, options) => kill(flux, { pid: 7, ...options })],
  ["list", (flux, options) => list(flux, options)],
  ["wait", (flux, options) => wait(flux, { pid: 7, ...options })],
  ["rexecBg", (flux, options) => rexecBg(flux, ["a"], options)],
];
const streams: [string, (flux: Flux, options: Signaled) => Observable<unknown>][] = [
  ["exec", (flux, options) => exec(flux, ["a"], options)],
  ["attach", (flux, options) => attach(flux, { pid: 7, ...options })],
  ["watch", (flux, options) => watch(flux, { nodeid: 0, ...options })],
];
const reason = new Error("no longer wanted");

/** Counts its listeners, so that a test can see them removed. */
class Counted extends AbortController {
  listeners = 0;

  constructor() {
    super();
    const { signal } = this;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      this.listeners++;
      addEventListener.apply(signal, args);
    };
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      this.listeners--;
      removeEventListener.apply(signal, args);
    };
  }
}

describe.each(rpcs)("%s with a signal", (_, call) => {
  it("that is aborted rejects with its reason, and is not sent", async () => {
    const { flux, proxy } = await openFlux();
    await expect(call(flux, { signal: AbortSignal.abort(reason) }).get()).rejects.toBe(reason);
    await settled();
    expect(proxy.received).toEqual([]);
  });

  it("that is aborted before it could be sent, is not sent", async () => {
    const { flux, proxy } = await openFlux();
    const controller = new AbortController();
    const answer = call(flux, { signal: controller.signal }).get();
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    await settled();
    expect(proxy.received).toEqual([]);
  });

  it("that is aborted on its way rejects at once, and its answer is ignored", async () => {
    const { flux, proxy } = await openFlux();
    const controller = new AbortController();
    const answer = call(flux, { signal: controller.signal }).get();
    await settled();
    expect(proxy.requests).toHaveLength(1);
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
    proxy.send({ type: "response", id: 1, rank: 0, payload: {} });
    await settled();
    expect(proxy.closed).toBeUndefined();
  });

  it("lets go of it when it is answered", async () => {
    const { flux, proxy } = await openFlux();
    const counted = new Counted();
    const answer = call(flux, { signal: counted.signal }).get();
    await settled();
    expect(counted.listeners).toBe(1);
    proxy.send({ type: "error", id: 1, rank: 0, errno: 2, message: "" });
    await expect(answer).rejects.toMatchObject({ code: "ENOENT" });
    expect(counted.listeners).toBeLessThanOrEqual(0);
  });
});

describe.each([...rpcs, ...streams])("%s", (_, call) => {
  it("refuses at once another object than a signal", async () => {
    const { flux } = await openFlux();
    for (const signal of [{}, "abort", null]) {
      expect(() => call(flux, { signal: signal as AbortSignal })).toThrow(TypeError);
    }
  });
});

describe.each(streams)("%s with a signal", (name, call) => {
  it("errors with its reason and ends its call, as unsubscribing does", async () => {
    const { flux, proxy } = await openFlux();
    const counted = new Counted();
    const recorder = new Recorder<unknown>();
    call(flux, { signal: counted.signal }).subscribe(recorder);
    await settled();
    if (name === "exec") proxy.send(started(1, 0, 42));
    await settled();
    counted.abort(reason);
    expect(recorder.ends).toEqual([reason]);
    await settled();
    expect(proxy.received.at(-1)).toMatchObject(
      name === "exec" ? { topic: "rexec.kill", payload: { pid: 42, signum: 15 } } : { type: "detach", id: 1 },
    );
    expect(counted.listeners).toBeLessThanOrEqual(0);
  });

  it("that is aborted already is not sent", async () => {
    const { flux, proxy } = await openFlux();
    const recorder = new Recorder<unknown>();
    call(flux, { signal: AbortSignal.abort(reason) }).subscribe(recorder);
    await settled();
    expect(recorder.ends).toEqual([reason]);
    expect(proxy.received).toEqual([]);
  });
});

describe("spawn with a signal", () => {
  it("ends the process, and gives its outcome", async () => {
    const { flux, proxy } = await openFlux();
    const counted = new Counted();
    const child = spawn(flux, ["a"], { signal: counted.signal });
    await settled();
    proxy.send(started(1, 0, 42));
    await settled();
    counted.abort(reason);
    await settled();
    expect(proxy.requests.at(-1)).toMatchObject({ topic: "rexec.kill", payload: { pid: 42, signum: 15 } });
    proxy.send(
      { type: "response", id: 1, rank: 0, payload: { type: "finished", status: 15 } },
      { type: "end", id: 1, rank: 0 },
    );
    expect(await child.status).toEqual({ success: false, code: 143, signal: "SIGTERM" });
    expect(counted.listeners).toBeLessThanOrEqual(0);
  });

  it("that is aborted already starts nothing", async () => {
    const { flux, proxy } = await openFlux();
    const child = spawn(flux, ["a"], { signal: AbortSignal.abort(reason) });
    await expect(child.pid).rejects.toMatchObject({ code: "ECANCELED" });
    await expect(child.status).rejects.toMatchObject({ code: "ECANCELED" });
    await settled();
    expect(proxy.received).toEqual([]);
  });

  it("refuses at once another object than a signal, and starts nothing", async () => {
    const { flux, proxy } = await openFlux();
    expect(() => spawn(flux, ["a"], { signal: {} as AbortSignal })).toThrow(TypeError);
    await settled();
    expect(proxy.received).toEqual([]);
  });
});

describe("write with a signal", () => {
  it("rejects with its reason while it waits for room", async () => {
    const { flux, proxy } = await openFlux();
    const process = await new Promise<{ matchtag: number }>((resolve) => {
      exec(flux, ["a"]).subscribe((event) => event.type === "started" && resolve(event));
      void settled().then(() => proxy.send(started(1, 0, 42)));
    });
    const controller = new AbortController();
    const options = { stream: "C", signal: controller.signal };
    const written = write(flux, process, "x", options).get();
    await settled();
    controller.abort(reason);
    await expect(written).rejects.toBe(reason);
    expect(() => write(flux, process, "x", { signal: {} as AbortSignal })).toThrow(TypeError);
  });
});
