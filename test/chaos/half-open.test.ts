/** A connection that vanishes without a word: the proxy's pings find out, and the processes end with the session. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { connect, exec, type Flux, list, type ProcessEvent } from "../../src/index.js";
import { failure, until, untilGone } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";
import { type Injector, startInjector } from "./injector.js";

/** The interval of proxy/keepalive.ts, which is the only setInterval of a proxy. */
const PING_MS = 15_000;

describe("half-open", () => {
  let stack: Stack;
  let injector: Injector;

  beforeAll(async () => {
    // Sockets and all other timers are real: the test alone says when it is time for a ping.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    stack = await startStack({ size: 1 });
    injector = await startInjector({ target: stack.url, seed: 1 });
  });
  afterEach(() => expect(vi.getTimerCount()).toBe(1));
  afterAll(async () => {
    await injector.close();
    await stack.close();
    vi.useRealTimers();
  });

  /** Time for a ping, and for its pong. */
  const beat = async () => {
    vi.advanceTimersByTime(PING_MS);
    await new Promise((resolve) => setTimeout(resolve, 50));
  };

  /** A process in the foreground of a session through the injector. */
  const follow = async (command: readonly string[]) => {
    const planned = injector.next({});
    const flux: Flux = connect(injector.url(stack.url), { token: stack.token });
    const told: ProcessEvent[] = [];
    const end = failure(
      new Promise((_, reject) =>
        exec(flux, command).subscribe({ next: (event) => told.push(event), error: reject }),
      ),
    );
    await until(() => told.length > 0, "it has started");
    return { flux, told, end, link: await planned, pid: (told[0] as { pid: number }).pid };
  };

  it.each(["idle", "busy"])(
    "a session that is %s ends within three intervals, with its process",
    async (kind) => {
      const { told, end, link, pid } = await follow(kind === "idle" ? ["sleep", "60"] : ["yes"]);
      const control = stack.connect();
      link.halfOpen();
      await beat();
      await beat();
      const pids = (await list(control).getProcesses()).map((process) => process.pid);
      expect(pids).toEqual([pid]);
      await beat();
      await untilGone(control, pid);
      control.close();

      // The client has been told nothing, and makes nothing up.
      expect(told.some(({ type }) => type === "finished")).toBe(false);
      link.reset("client");
      expect(await end).toMatchObject({ code: "ECONNRESET", topic: "rexec.exec" });
      expect(told.at(-1)).toMatchObject({ type: "finished", outcome: { kind: "unknown" } });
      // Its last words to the proxy's end are not read: nobody would ever see that it has gone.
      link.destroy();
      await link.closed;
    },
  );

  it("a session that answers, late as it may be, lives on", async () => {
    const { flux, told, end, link, pid } = await follow(["sleep", "60"]);
    for (let n = 0; n < 3; n++) {
      link.stall("up");
      await beat();
      await beat();
      link.release("up");
      // The request comes after the pong: when it is answered, that has been seen.
      expect((await list(flux).getProcesses()).map((process) => process.pid)).toEqual([pid]);
    }
    expect(told.map(({ type }) => type)).toEqual(["started"]);
    flux.close();
    expect((await end).code).toBe("ECANCELED");
  });
});
