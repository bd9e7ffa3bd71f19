import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { filter, firstValueFrom, lastValueFrom, map, type Subscription, toArray } from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  collect,
  exec,
  type Flux,
  type FluxEvent,
  f58,
  job,
  kill,
  list,
  noneSigner,
  rexecBg,
} from "../../src/index.js";
import { failure, until, utf8 } from "../support/process.js";
import { JOB_DETAILS, JOB_SCOPE } from "../support/rights.js";
import { type Stack, startStack } from "../support/stack.js";

const example = fileURLToPath(new URL("../../examples/jobs.mjs", import.meta.url));

/** An id that no double holds, of a job that is not there. */
const BEYOND = 2n ** 62n + 1n;

/** Streams, and the numbers of their watchers in the service's own statistics. */
const STREAMS: readonly [topic: string, payload: object, stats: string, read: (stats: never) => unknown][] = [
  [
    "job-manager.events-journal",
    {},
    "job-manager.stats-get",
    ({ journal }: { journal: { listeners: number } }) => journal.listeners,
  ],
  [
    "kvs-watch.lookup",
    { key: "resource.eventlog", namespace: "primary", flags: 4 },
    "kvs-watch.stats-get",
    ({ watchers }: { watchers: number }) => watchers,
  ],
  [
    "job-list.job-stats",
    {},
    "job-list.stats-get",
    ({ stats_watchers }: { stats_watchers: number }) => stats_watchers,
  ],
];

/** @param real true for a Flux that has jobs: the embedded broker has none */
export function jobCases(uri: () => string, real: boolean): void {
  describe("events", () => {
    let stack: Stack;
    let flux: Flux;
    beforeAll(async () => {
      stack = await startStack({ uri: uri(), scope: JOB_SCOPE, details: JOB_DETAILS });
      flux = stack.connect();
    });
    afterAll(() => stack?.close());

    it("has each event of its prefix that is published after it, in order", async () => {
      const got: FluxEvent[] = [];
      const prefix = `test-${crypto.randomUUID()}.`;
      const subscription = flux.events(prefix).subscribe((event) => got.push(event));
      for (let n = 0; n < 20; n++) {
        const payload = Buffer.from(`${JSON.stringify({ n })}\0`).toString("base64");
        await flux.rpc("event.publish", { topic: `${prefix}${n}`, flags: 0, payload }, { nodeid: 0 });
      }
      await flux.rpc("event.publish", { topic: `other-${prefix}`, flags: 0 }, { nodeid: 0 });
      await until(() => got.length === 20, "20 events");
      expect(got.map(({ topic, payload }) => [topic, payload])).toEqual(
        Array.from({ length: 20 }, (_, n) => [`${prefix}${n}`, { n }]),
      );
      expect(got.map(({ seq }) => seq)).toEqual([...got].map(({ seq }) => seq).sort((a, b) => a - b));
      subscription.unsubscribe();
      await flux.rpc("event.publish", { topic: `${prefix}late`, flags: 0 }, { nodeid: 0 });
      expect(got).toHaveLength(20);
    });

    it.skipIf(real)("jobs are not here: the embedded broker says so", async () => {
      expect(await failure(job(flux, "ƒ6sYx2X9"))).toMatchObject({ code: "ENOSYS" });
      const error = await run(stack).then(
        () => undefined,
        (error) => error,
      );
      expect(error).toMatchObject({ code: 1, stderr: expect.stringContaining("Jobs need a real Flux") });
    });
  });

  describe.skipIf(!real)("jobs, which only a real Flux has", () => {
    let stack: Stack;
    let flux: Flux;
    const submitted: (number | bigint)[] = [];
    beforeAll(async () => {
      stack = await startStack({ uri: uri(), scope: JOB_SCOPE, details: JOB_DETAILS });
      flux = stack.connect();
    });
    afterAll(async () => {
      for (const id of submitted) {
        const cancel = { id, type: "cancel", severity: 0 };
        await flux
          .rpc("job-manager.raise", cancel)
          .get()
          .catch(() => {});
      }
      await stack?.close();
    });

    /** Submits a job of two nodes. @param urgency 0 holds it */
    const submit = async (command: string[], urgency = 16): Promise<number | bigint> => {
      const slot = { type: "slot", count: 1, label: "task", with: [{ type: "core", count: 1 }] };
      const jobspec = {
        version: 1,
        resources: [{ type: "node", count: 2, with: [slot] }],
        tasks: [{ command, slot: "task", count: { per_slot: 1 } }],
        attributes: { system: { duration: 600, cwd: "/tmp", environment: { PATH: "/usr/bin:/bin" } } },
      };
      const J = await noneSigner(process.getuid?.() ?? 0).sign(JSON.stringify(jobspec));
      const { id } = await flux.rpc<{ id: number | bigint }>("job-ingest.submit", { J, urgency, flags: 0 });
      submitted.push(id);
      return id;
    };

    it("runs a process on each node of a job, with its service", async () => {
      const id = await submit(["sleep", "600"]);
      await firstValueFrom(eventNames(flux, id).pipe(filter((name) => name === "start")));
      const found = await job(flux, f58(id));
      expect(found.ranks).toHaveLength(2);
      const events = exec(flux, ["cat"], { ...found.nodes(), stdin: "inside" }).pipe(collect(), toArray());
      const done = await firstValueFrom(events);
      expect(done.map(({ rank }) => rank).sort()).toEqual([...found.ranks]);
      expect(done.map((each) => (each.error ? each.error : utf8(each.stdout)))).toEqual(["inside", "inside"]);
      const { pid } = await rexecBg(flux, ["sleep", "600"], found.node(1));
      const processes = await list(flux, found.node(1)).getProcesses();
      expect(processes.find((process) => process.pid === pid)).toMatchObject({ rank: found.ranks[1] });
      const { nodeid } = found.node(1);
      const outside = await list(flux, { nodeid }).getProcesses();
      expect(outside.map((process) => process.pid)).not.toContain(pid);
      await kill(flux, { ...found.node(1), pid, signum: "SIGKILL" });
    });

    it("is not found in the states that have no shell", async () => {
      expect(await failure(job(flux, BEYOND))).toMatchObject({ code: "ENOENT" });
      const held = await submit(["true"], 0);
      expect(await failure(job(flux, held))).toMatchObject({ code: "EAGAIN" });
      const ended = await submit(["true"]);
      await ends(flux, ended);
      expect(await failure(job(flux, ended))).toMatchObject({ code: "ESRCH" });
    });

    it("the log of a job comes as a stream, which ends with it", async () => {
      const names = await ends(flux, await submit(["true"]));
      expect(names[0]).toBe("submit");
      expect(names.at(-1)).toBe("clean");
    });

    it.each(STREAMS)("%s is canceled when it is unsubscribed", async (topic, payload, stats, read) => {
      const watchers = async () => read((await flux.rpc(stats)) as never);
      const before = await watchers();
      const errors: unknown[] = [];
      const streams: Subscription[] = [];
      for (let i = 0; i < 3; i++)
        streams.push(
          flux.rpc(topic, payload, { streaming: true }).subscribe({ error: (e) => errors.push(e) }),
        );
      await until(async () => (await watchers()) === (before as number) + 3, `${topic} has three more`);
      for (const stream of streams) stream.unsubscribe();
      await until(async () => (await watchers()) === before, `${topic} has none of them`);
      expect(errors).toEqual([]);
    });

    it("a stream that is canceled leaves another of the same topic", async () => {
      const id = await submit(["sleep", "600"]);
      const names: string[] = [];
      const watch = () =>
        flux.rpc<{ event: string }>(
          "job-info.eventlog-watch",
          { id, path: "eventlog", flags: 0 },
          { streaming: true },
        );
      const first = watch().subscribe();
      const second = watch().subscribe(({ event }) => names.push(JSON.parse(event).name));
      await until(() => names.includes("start"), "it has started");
      first.unsubscribe();
      await flux.rpc("job-manager.raise", { id, type: "cancel", severity: 0 });
      await until(() => names.includes("clean"), "it is clean");
      second.unsubscribe();
    });

    it("examples/jobs.mjs submits, follows, prints and runs a command inside", async () => {
      const { stdout, stderr } = await run(stack);
      const lines = stdout.split("\n");
      expect(lines[0]).toMatch(/^ƒ\w+ is submitted$/);
      expect(lines).toEqual(
        expect.arrayContaining([
          "event: submit",
          "event: start",
          "inside: a process inside",
          "stdout of task 0: task 0",
          "stdout of task 1: task 1",
          "event: clean",
        ]),
      );
      expect(lines.at(-2)).toMatch(/is over$/);
      expect(stderr).toBe("");
    });
  });
}

/** The names of a job's events, to its end. */
const eventNames = (flux: Flux, id: number | bigint) =>
  flux
    .rpc<{ event: string }>(
      "job-info.eventlog-watch",
      { id, path: "eventlog", flags: 0 },
      { streaming: true },
    )
    .pipe(map(({ event }): string => JSON.parse(event).name));

const ends = (flux: Flux, id: number | bigint): Promise<string[]> =>
  lastValueFrom(eventNames(flux, id).pipe(toArray()));

/** Runs the example with the built package. */
function run({ url, token }: Stack): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, FLUX_SUBPROCESS_URL: url, FLUX_SUBPROCESS_TOKEN: token };
  return promisify(execFile)(process.execPath, [example], { env });
}
