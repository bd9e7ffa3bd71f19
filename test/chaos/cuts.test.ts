/**
 * A connection that ends at any byte. Without resume, the session is lost too: all that its client has heard is true, and the
 * client invents nothing. With resume, the application does not notice the cut. In both cases the broker and the proxy are afterwards as if the session
 * had never existed.
 *
 * CHAOS_SEED and CHAOS_CUTS (per scenario) in the environment change the schedule. A failure names the cut and its place.
 */
import { lastValueFrom, toArray } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConnectOptions, connect, type Flux, list, spawn } from "../../src/index.js";
import { failure, until } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";
import type { Direction, Fault } from "./faults.js";
import { type Injector, startInjector } from "./injector.js";
import type { Link } from "./link.js";
import { Random } from "./random.js";
import { BACKGROUND, processes, SCENARIOS, type Scenario, SIZE, takeBackground } from "./scenarios.js";
import { lost } from "./verdict.js";

const SEED = Number(process.env.CHAOS_SEED ?? 1);
const CUTS = Number(process.env.CHAOS_CUTS ?? 40);

/** Half of all cuts are in the first bytes of a connection: the handshake, the opening and the first requests. */
const HEAD = 1200;

/** Far more than any step takes, in milliseconds. A promise that is still pending then never settles. */
const PATIENCE_MS = 10_000;

async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not settle: ${what}`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** No first message of a scenario is longer, in bytes. Until the proxy has a message, a new session ends with its socket. */
const FIRST = 600;

/** Short delays, so that the test is short. */
const RESUME: Pick<ConnectOptions, "retry"> = { retry: { delay: () => 5 } };

/** The bytes of an undisturbed scenario, in each direction. */
interface Measure {
  readonly total: Readonly<Record<Direction, number>>;
  /** Bytes that went up before the session was open. */
  readonly opening: number;
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

  const client = (options: Pick<ConnectOptions, "retry">): Flux =>
    connect(injector.url(stack.url), { token: stack.token, ...options });

  const measure = async (scenario: Scenario): Promise<Measure> => {
    const planned = injector.next({});
    const flux = client(RESUME);
    let opening = 0;
    let link: Link | undefined;
    flux.status$.subscribe(({ state }) => {
      if (state === "open") opening = link?.forwarded.up ?? 0;
    });
    const running = scenario.run(flux);
    link = await planned;
    expect(await running).toBeUndefined();
    const { forwarded } = link;
    flux.close();
    return { total: forwarded, opening };
  };

  /** The proxy serves a new session, and only background processes are left of the one before. */
  const expectClean = async () => {
    const control = stack.connect();
    await until(
      async () => (await processes(control)).every(({ label }) => BACKGROUND.test(label)),
      "no process in the foreground is left",
    );
    await takeBackground(control);
    control.close();
  };

  /** Runs a scenario, then checks that nothing is left of it. @returns the session's states, and its first connection */
  const run = async (scenario: Scenario, fault: Fault, options: Pick<ConnectOptions, "retry">) => {
    const planned = injector.next({ at: [fault] });
    const flux = client(options);
    const statuses = lastValueFrom(flux.status$.pipe(toArray()));
    const error = await inTime(scenario.run(flux), scenario.name);
    const link = await planned;
    // With retries the handle lives, and takes requests in its next session.
    if (error && options.retry === false) expect((await failure(list(flux).get())).code).toBe(error.code);
    else flux.close();
    const history = await inTime(statuses, "status$");
    const last = history.at(-1);
    if (options.retry === false && error && last?.state === "closed")
      expect(lost(last.error).code).toBe(error.code);
    const states = history.map(({ state }) => state);
    // A session that was open is lost with ECONNRESET, and not refused.
    if (states.includes("open") && error) expect(error.code).toBe("ECONNRESET");
    await inTime(link.closed, "both sockets are closed");
    await expectClean();
    return { error, link, states: states.join() };
  };

  /** @returns whether the cut happened: a scenario does not always end at the same byte */
  const strike = async (scenario: Scenario, fault: Fault): Promise<boolean> => {
    const { error, link, states } = await run(scenario, fault, { retry: false });
    if (error) expect(link.state).toBe(fault.kind);
    expect(states).toMatch(/^connecting,(open,)?closed$/);
    return error !== undefined;
  };

  /** @returns whether the cut happened, without an effect on the scenario */
  const strikeThrough = async (scenario: Scenario, fault: Fault, { opening }: Measure): Promise<boolean> => {
    const { error, link, states } = await run(scenario, fault, RESUME);
    if (error === undefined) {
      // A cut in the opening is followed by another opening, a later one by a resume.
      expect(states).toMatch(
        /^connecting,(connecting,)*open,((resuming|connecting),)*(open,((resuming|connecting),)*)*closed$/,
      );
      return link.state === fault.kind;
    }
    expect(link.forwarded.up, "a session that was there is resumed").toBeLessThan(opening + FIRST);
    return false;
  };

  const KINDS: [string, typeof strikeThrough, number][] = [
    ["without resume, the truth and no more", strike, 0.5],
    ["with resume, the truth and all of it", strikeThrough, 0.1],
  ];
  for (const [index, scenario] of SCENARIOS.entries()) {
    it.each(KINDS)(`${scenario.name}: %s`, async (_name, hit, share) => {
      const random = new Random(SEED + index);
      const measured = await measure(scenario);
      const { total } = measured;
      let hits = 0;
      for (let n = 0; n < CUTS; n++) {
        const direction = random.pick<Direction>(["up", "down"]);
        const end = random.pick([Math.min(HEAD, total[direction]), total[direction]]);
        const after = random.integer(0, end);
        const fault: Fault = { kind: random.pick(["cut", "reset"]), direction, after };
        try {
          if (await hit(scenario, fault, measured)) hits++;
        } catch (cause) {
          const where = `${fault.kind} ${direction} after ${after} of ${total[direction]} bytes`;
          throw new Error(`${scenario.name}, seed ${SEED}, ${where}: ${(cause as Error).message}`, { cause });
        }
      }
      expect(hits).toBeGreaterThan(CUTS * share);
    });
  }

  it("an idle stdin is closed too", async () => {
    const child = spawn(client({ retry: false }), ["cat"]);
    await child.pid;
    // Nothing is written, so no write can fail.
    const piping = new ReadableStream<string>().pipeTo(child.stdin);
    injector.resetAll();
    expect((await inTime(failure(piping), "pipeTo")).code).toBe("ECONNRESET");
    await expectClean();
  });

  it("leaves no connection", async () => {
    await until(() => injector.connections.length === 0, "no connection is left");
  });
});
