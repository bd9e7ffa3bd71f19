/** A network that is slow, stalls, or delivers tiny segments, but never ends: everything arrives unchanged. */
import { tap } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, exec, type Flux, type ProcessEvent } from "../../src/index.js";
import { Observed } from "../support/observed.js";
import { sh, until } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";
import type { Faults } from "./faults.js";
import { type Injector, startInjector } from "./injector.js";
import type { Link } from "./link.js";
import { processes, SCENARIOS, SIZE } from "./scenarios.js";
import { checkRun } from "./verdict.js";

const SEED = Number(process.env.CHAOS_SEED ?? 1);

describe("slow, not broken", () => {
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

  const open = (faults: Faults): { flux: Flux; planned: Promise<Link> } => {
    const planned = injector.next(faults);
    return { flux: connect(injector.url(stack.url), { token: stack.token }), planned };
  };

  const networks: [string, Faults][] = [
    ["tiny segments", { segment: 9 }],
    ["latency", { latency: { ms: 5, jitter: 10 } }],
    ["both", { segment: 1000, latency: { ms: 2, jitter: 4 } }],
    [
      "stalls that end",
      {
        at: (["up", "down"] as const).flatMap((direction) =>
          [100, 700, 2000, 100_001, 200_002].map((after) => ({
            kind: "stall" as const,
            direction,
            after,
            ms: 30,
          })),
        ),
      },
    ],
  ];
  for (const [name, faults] of networks) {
    it.each(SCENARIOS)(`${name}: $name`, async (scenario) => {
      const { flux, planned } = open(faults);
      expect(await scenario.run(flux)).toBeUndefined();
      flux.close();
      // The closing handshake arrives too.
      await (await planned).closed;
    });
  }

  /** More bytes than the window and the proxy's buffers hold. */
  const LINES = 2_000_000;
  const large = Buffer.from(Array.from({ length: LINES }, (_, n) => `${n + 1}\n`).join(""));

  it("output that stalls stops its process, and all of it arrives after the stall", async () => {
    const { flux, planned } = open({ at: [{ kind: "stall", direction: "down", after: 100_000 }] });
    let over = false;
    let pid: number | undefined;
    const noted = tap((event: ProcessEvent) => {
      if (event.type === "started") pid = event.pid;
    });
    const error = checkRun(
      exec(flux, sh(`seq ${LINES}; exit 3`)).pipe(noted),
      new Map([
        [0, { outcome: { kind: "exited", code: 3 }, streams: { stdout: large, stderr: new Uint8Array() } }],
      ]),
    ).finally(() => {
      over = true;
    });
    const link = await planned;
    await until(() => pid !== undefined && new Observed(pid).state === "T", "the process is stopped");
    expect(link.waiting.down).toBeGreaterThan(0);
    expect(over).toBe(false);
    // Other clients are served meanwhile.
    await processes(stack.connect());
    link.release("down");
    expect(await error).toBeUndefined();
    flux.close();
  });

  it("input that stalls is buffered, and all of it arrives after the stall", async () => {
    const { flux, planned } = open({ at: [{ kind: "stall", direction: "up", after: 100_000 }] });
    let over = false;
    const error = checkRun(
      exec(flux, ["cat"], { stdin: large }),
      new Map([
        [0, { outcome: { kind: "exited", code: 0 }, streams: { stdout: large, stderr: new Uint8Array() } }],
      ]),
    ).finally(() => {
      over = true;
    });
    const link = await planned;
    let before = -1;
    let still = 0;
    await until(() => {
      const now = link.waiting.up;
      still = now > 0 && now === before ? still + 1 : 0;
      before = now;
      return still === 6;
    }, "it stands still, with more to come");
    expect(over).toBe(false);
    link.release("up");
    expect(await error).toBeUndefined();
    flux.close();
  });
});
