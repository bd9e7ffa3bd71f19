/** The packed package in every runtime: npm installs it, programs import it by name, and the suite passes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Consumer, installConsumer } from "./consumer.js";
import type { Runtime } from "./runtime.js";
import { runtimes } from "./runtimes.js";
import { cases, type Result } from "./suite/suite.js";
import { compile, users } from "./types.js";
import { startWorld } from "./world.js";

/** The number of runtimes in parallel: a suite waits most of its time. */
const LANES = 2;
/** The limit for all runtimes, in milliseconds. */
const RUN_MS = 240_000;

let consumer: Consumer;
let running: Promise<unknown>;
const reports = new Map<Runtime, Promise<Result[]>>();

beforeAll(async () => {
  consumer = await installConsumer();
  const lanes: Promise<unknown>[] = Array.from({ length: LANES }, () => Promise.resolve());
  runtimes.forEach((runtime, index) => {
    if (runtime.missing !== undefined) return;
    const report = (lanes[index % LANES] as Promise<unknown>).then(() => suiteIn(runtime));
    reports.set(runtime, report);
    lanes[index % LANES] = report.catch(() => {});
  });
  running = Promise.all(lanes);
}, RUN_MS);

afterAll(async () => {
  await running;
  await consumer?.remove();
}, RUN_MS);

/** Runs the suite in a world of its own, and prints the result. */
async function suiteIn(runtime: Runtime): Promise<Result[]> {
  const { world, close } = await startWorld();
  try {
    const version = await runtime.version();
    const results = await runtime.run(consumer.dir, world);
    const failed = results.filter(({ error }) => error !== undefined).length;
    console.log(
      `${runtime.name.split(" ")[0]} ${version}: ${results.length - failed} passed, ${failed} failed`,
    );
    return results;
  } finally {
    await close();
  }
}

describe("the types of the package", () => {
  it.each(users)(
    "$name",
    async (user) => {
      expect(await compile(consumer.dir, user)).toBe("");
    },
    RUN_MS,
  );
});

for (const runtime of runtimes) {
  if (runtime.missing !== undefined) console.log(`${runtime.name}: skipped, ${runtime.missing}`);

  describe.skipIf(runtime.missing)(`the suite in ${runtime.name}`, () => {
    let results: Result[];
    beforeAll(async () => {
      results = (await reports.get(runtime)) as Result[];
    }, RUN_MS);

    const names = [...cases.map(({ name }) => name), ...(runtime.programs ?? [])];
    it.each(names)("%s", (name) => {
      const result = results.find((one) => one.name === name);
      expect(result, "it was run").toBeDefined();
      expect(result?.error).toBeUndefined();
    });
  });
}
