/**
 * A connection that ends at any byte, without resume: the session is lost with it. What its client was told until then
 * is true, what it cannot know it does not make up, and the broker and the proxy are as if it had never been.
 *
 * CHAOS_SEED and CHAOS_CUTS (per scenario) in the environment change the schedule; a failure says what was cut where.
 */
import { lastValueFrom, toArray } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Flux, list, spawn } from "../../src/index.js";
import { failure, until } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";
import type { Direction, Fault } from "./faults.js";
import { type Injector, startInjector } from "./injector.js";
import { Random } from "./random.js";
import { BACKGROUND, processes, SCENARIOS, type Scenario, SIZE, takeBackground } from "./scenarios.js";
import { lost } from "./verdict.js";

const SEED = Number(process.env.CHAOS_SEED ?? 1);
const CUTS = Number(process.env.CHAOS_CUTS ?? 40);

/** In this many bytes from the start are the handshake, the opening and the first requests: half of all cuts are there. */
const HEAD = 1200;

/** Far more than anything here takes: what has not settled then never will. */
const PATIENCE_MS = 10_000;

async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not settle: ${what}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

describe("cut at any byte", () => {
  let stack: Stack;
  let injector: Injector;

  beforeAll(async () => {
    stack = await startStack({ size: SIZE });
    injector = await startInjector({ target: stack.url, seed: SEED });
  });
  afterAll(async () => {
    await injector.close();
    await stack.close();
  });

  const client = (): Flux => connect(injector.url(stack.url), { token: stack.token });

  /** The bytes that a scenario sends each way when nothing happens to it. */
  const measure = async (scenario: Scenario): Promise<Readonly<Record<Direction, number>>> => {
    const planned = injector.next({});
    const flux = client();
    expect(await scenario.run(flux)).toBeUndefined();
    const { forwarded } = await planned;
    flux.close();
    return forwarded;
  };

  /** The proxy serves a new session, and there is nothing left of the one before but what outlives it by right. */
  const expectClean = async () => {
    const control = stack.connect();
    await until(
      async () => (await processes(control)).every(({ label }) => BACKGROUND.test(label)),
      "no process in the foreground is left",
    );
    await takeBackground(control);
    control.close();
  };

  /** @returns whether it hit: the end of a scenario is not always at the same byte */
  const strike = async (scenario: Scenario, fault: Fault): Promise<boolean> => {
    const planned = injector.next({ at: [fault] });
    const flux = client();
    const statuses = lastValueFrom(flux.status$.pipe(toArray()));
    const error = await inTime(scenario.run(flux), scenario.name);
    const link = await planned;
    if (error) {
      expect(link.state).toBe(fault.kind);
      expect((await failure(list(flux).get())).code).toBe(error.code);
    } else {
      flux.close();
    }
    const told = await inTime(statuses, "status$");
    const states = told.map(({ state }) => state);
    expect(states.join()).toMatch(/^connecting,(open,)?closed$/);
    const last = told.at(-1);
    if (error && last?.state === "closed") expect(lost(last.error).code).toBe(error.code);
    // What could be reached was not refused.
    if (states.includes("open") && error) expect(error.code).toBe("ECONNRESET");
    await inTime(link.closed, "both sockets are closed");
    await expectClean();
    return error !== undefined;
  };

  for (const [index, scenario] of SCENARIOS.entries()) {
    it(`${scenario.name}: the truth, and no more`, async () => {
      const random = new Random(SEED + index);
      const total = await measure(scenario);
      let hits = 0;
      for (let n = 0; n < CUTS; n++) {
        const direction = random.pick<Direction>(["up", "down"]);
        const end = random.pick([Math.min(HEAD, total[direction]), total[direction]]);
        const after = random.integer(0, end);
        const fault: Fault = { kind: random.pick(["cut", "reset"]), direction, after };
        try {
          if (await strike(scenario, fault)) hits++;
        } catch (cause) {
          const where = `${fault.kind} ${direction} after ${after} of ${total[direction]} bytes`;
          throw new Error(`${scenario.name}, seed ${SEED}, ${where}: ${(cause as Error).message}`, { cause });
        }
      }
      expect(hits).toBeGreaterThan(CUTS / 2);
    });
  }

  it("a stdin that is idle hears of it", async () => {
    const child = spawn(client(), ["cat"]);
    await child.pid;
    // Nothing is ever written, so that no write can fail.
    const piping = new ReadableStream<string>().pipeTo(child.stdin);
    injector.resetAll();
    expect((await inTime(failure(piping), "pipeTo")).code).toBe("ECONNRESET");
    await expectClean();
  });

  it("leaves no connection", async () => {
    await until(() => injector.connections.length === 0, "no connection is left");
  });
});
