/**
 * A connection that vanishes: both ends find out by themselves. The session continues over another connection. If it may not
 * resume, or no client resumes it, its processes end.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type ConnectOptions, connect, exec, type Flux, list, type ProcessEvent } from "../../src/index.js";
import { failure, until, untilGone } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";
import { type Injector, startInjector } from "./injector.js";

/** PROTOCOL.md, "Liveness": the proxy's interval in milliseconds. A socket that is silent for three of them is lost. */
const LOOK_MS = 5000;

describe("half-open", () => {
  let stack: Stack;
  let injector: Injector;

  beforeAll(async () => {
    // The client's checks and the proxy's pings run in fake time. Sockets and timeouts are real.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    stack = await startStack({ size: 1 });
    injector = await startInjector({ target: stack.url, seed: 1 });
  });
  afterEach(async () => {
    for (const link of injector.connections) link.destroy();
    await until(() => injector.connections.length === 0, "no connection is left");
    // The pings' timer only: no session has left one.
    expect(vi.getTimerCount()).toBe(1);
  });
  afterAll(async () => {
    await injector.close();
    await stack.close();
    vi.useRealTimers();
  });

  /** Lets the time for a check and its answer pass. */
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
    const events: ProcessEvent[] = [];
    const end = failure(
      new Promise((_, reject) =>
        exec(flux, command).subscribe({ next: (event) => events.push(event), error: reject }),
      ),
    );
    await until(() => events.length > 0, "it has started");
    return { flux, states, events, end, link: await planned, pid: (events[0] as { pid: number }).pid };
  };

  const pids = async (flux: Flux) => (await list(flux).getProcesses()).map((process) => process.pid);

  it.each(["idle", "busy"])(
    "without resume, a session with a process that is %s ends, and so does the process",
    async (kind) => {
      const command = kind === "idle" ? ["sleep", "60"] : ["yes"];
      const { events, end, link, pid } = await follow(command, { retry: false });
      const control = stack.connect();
      link.halfOpen();
      await beat(2);
      expect(await pids(control)).toEqual([pid]);
      await beat(2);
      await untilGone(control, pid);
      control.close();

      // The client has found out too, and does not invent an outcome.
      expect((await end).topic).toBe("rexec.exec");
      expect(events.at(-1)).toMatchObject({ type: "finished", outcome: { kind: "unknown" } });
      // The client's last bytes are not read, so nobody would see that it has gone.
      link.destroy();
      await link.closed;
    },
  );

  it.each(["idle", "busy"])("with resume, a session with a process that is %s continues", async (kind) => {
    const command = kind === "idle" ? ["sleep", "60"] : ["yes"];
    const { flux, states, events, end, link, pid } = await follow(command, { retry: { delay: () => 0 } });
    link.halfOpen();
    await beat(4);
    await until(() => {
      vi.advanceTimersByTime(1);
      return states.includes("resuming") && states.at(-1) === "open";
    }, "it is resumed");
    const before = events.length;
    expect(await pids(flux)).toEqual([pid]);
    if (kind === "busy") await until(() => events.length > before, "more output comes");
    expect(events.filter(({ type }) => type !== "output").map(({ type }) => type)).toEqual(["started"]);
    flux.close();
    expect((await end).code).toBe("ECANCELED");
    const control = stack.connect();
    await untilGone(control, pid);
    control.close();
  });

  it("a process ends after the grace if no client resumes its session", async () => {
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

  it("a session that answers late stays open", async () => {
    const { flux, states, events, end, link, pid } = await follow(["sleep", "60"], { retry: false });
    for (let n = 0; n < 3; n++) {
      link.stall("up");
      await beat(2);
      link.release("up");
      // The request follows the pong, so its answer shows that the pong has arrived.
      expect(await pids(flux)).toEqual([pid]);
    }
    expect(events.map(({ type }) => type)).toEqual(["started"]);
    expect(states).toEqual(["connecting", "open"]);
    flux.close();
    expect((await end).code).toBe("ECANCELED");
  });
});
