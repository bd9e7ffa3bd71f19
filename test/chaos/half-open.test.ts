/**
 * A connection that vanishes without a word: both ends find out by themselves. The session goes on over another
 * connection; where it may not, or nobody comes, its processes end with it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type ConnectOptions, connect, exec, type Flux, list, type ProcessEvent } from "../../src/index.js";
import { failure, until, untilGone } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";
import { type Injector, startInjector } from "./injector.js";

/** PROTOCOL.md, "Liveness": so often the proxy looks, and after three times of it a silent socket is lost. */
const LOOK_MS = 5000;

describe("half-open", () => {
  let stack: Stack;
  let injector: Injector;

  beforeAll(async () => {
    // Of the client's looks and of the proxy's pings. Sockets and timeouts are real: the test alone says how time goes by.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    stack = await startStack({ size: 1 });
    injector = await startInjector({ target: stack.url, seed: 1 });
  });
  afterEach(async () => {
    for (const link of injector.connections) link.destroy();
    await until(() => injector.connections.length === 0, "no connection is left");
    // The pings: no session has left a timer.
    expect(vi.getTimerCount()).toBe(1);
  });
  afterAll(async () => {
    await injector.close();
    await stack.close();
    vi.useRealTimers();
  });

  /** Time for a look, and for its answer. */
  const beat = async (times = 1) => {
    for (let n = 0; n < times; n++) {
      vi.advanceTimersByTime(LOOK_MS);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  /** A process in the foreground of a session through the injector. */
  const follow = async (command: readonly string[], options: Partial<ConnectOptions>) => {
    const planned = injector.next({});
    const flux: Flux = connect(injector.url(stack.url), { token: stack.token, ...options });
    const states: string[] = [];
    flux.status$.subscribe(({ state }) => states.push(state));
    const told: ProcessEvent[] = [];
    const end = failure(
      new Promise((_, reject) =>
        exec(flux, command).subscribe({ next: (event) => told.push(event), error: reject }),
      ),
    );
    await until(() => told.length > 0, "it has started");
    return { flux, states, told, end, link: await planned, pid: (told[0] as { pid: number }).pid };
  };

  const pids = async (flux: Flux) => (await list(flux).getProcesses()).map((process) => process.pid);

  it.each(["idle", "busy"])("without resume, a session that is %s ends with its process", async (kind) => {
    const command = kind === "idle" ? ["sleep", "60"] : ["yes"];
    const { told, end, link, pid } = await follow(command, { retry: false });
    const control = stack.connect();
    link.halfOpen();
    await beat(2);
    expect(await pids(control)).toEqual([pid]);
    await beat(2);
    await untilGone(control, pid);
    control.close();

    // The client has found out as well, and makes nothing up.
    expect((await end).topic).toBe("rexec.exec");
    expect(told.at(-1)).toMatchObject({ type: "finished", outcome: { kind: "unknown" } });
    // Its last words to the proxy's end are not read: nobody would ever see that it has gone.
    link.destroy();
    await link.closed;
  });

  it.each(["idle", "busy"])("with resume, a session that is %s goes on", async (kind) => {
    const command = kind === "idle" ? ["sleep", "60"] : ["yes"];
    const { flux, states, told, end, link, pid } = await follow(command, { retry: { delay: () => 0 } });
    link.halfOpen();
    await beat(4);
    await until(() => {
      vi.advanceTimersByTime(1);
      return states.includes("resuming") && states.at(-1) === "open";
    }, "it is resumed");
    const before = told.length;
    expect(await pids(flux)).toEqual([pid]);
    if (kind === "busy") await until(() => told.length > before, "more output comes");
    expect(told.filter(({ type }) => type !== "output").map(({ type }) => type)).toEqual(["started"]);
    flux.close();
    expect((await end).code).toBe("ECANCELED");
    const control = stack.connect();
    await untilGone(control, pid);
    control.close();
  });

  it("a process ends after the grace of a session that nobody resumes", async () => {
    const { flux, end, link, pid } = await follow(["sleep", "60"], {
      retry: { delay: () => 60_000 },
      grace: 500,
    });
    const control = stack.connect();
    link.halfOpen();
    await beat(2);
    expect(await pids(control)).toEqual([pid]);
    await beat(2);
    await untilGone(control, pid);
    control.close();
    flux.close();
    expect((await end).code).toBe("ECANCELED");
  });

  it("a session that answers, late as it may be, lives on", async () => {
    const { flux, states, told, end, link, pid } = await follow(["sleep", "60"], { retry: false });
    for (let n = 0; n < 3; n++) {
      link.stall("up");
      await beat(2);
      link.release("up");
      // The request comes after the pong: when it is answered, that has been seen.
      expect(await pids(flux)).toEqual([pid]);
    }
    expect(told.map(({ type }) => type)).toEqual(["started"]);
    expect(states).toEqual(["connecting", "open"]);
    flux.close();
    expect((await end).code).toBe("ECANCELED");
  });
});
