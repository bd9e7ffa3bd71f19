/** watch over real sockets, a real broker and real processes: the changes that others make. */
import {
  filter,
  firstValueFrom,
  lastValueFrom,
  type Observable,
  ReplaySubject,
  share,
  takeWhile,
} from "rxjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { connect, exec, type Flux, kill, type ProcessTable, rexecBg, wait, watch } from "../../src/index.js";
import { startInjector } from "../chaos/injector.js";
import { sh, uniqueLabel } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";

/** Nothing that happens through the proxy waits for this. */
const NEVER_MS = 600_000;

const has =
  (label: string, state?: string) =>
  ({ processes }: ProcessTable) =>
    processes.some((process) => process.label === label && (state === undefined || process.state === state));

const comes = (table$: Observable<ProcessTable>, label: string, state?: string) =>
  firstValueFrom(table$.pipe(filter(has(label, state))));
const goes = (table$: Observable<ProcessTable>, label: string) =>
  lastValueFrom(table$.pipe(takeWhile(has(label), true)));

describe("watch", () => {
  let stack: Stack;
  let flux: Flux;
  let other: Flux;

  beforeAll(async () => {
    stack = await startStack({ size: 4 });
    flux = stack.connect();
    other = stack.connect();
  });
  afterAll(() => stack.close());

  it("shows at once the processes that another client starts and ends through the proxy", async () => {
    const label = uniqueLabel();
    const table$ = watch(flux, { interval: NEVER_MS });
    const running = comes(table$, label, "R");
    await firstValueFrom(table$);
    await rexecBg(other, ["sleep", "60"], { label, waitable: true, nodeid: 3 }).get();
    expect((await running).processes.find((process) => process.label === label)).toMatchObject({
      rank: 3,
      cmd: "sleep",
    });
    const zombie = comes(table$, label, "Z");
    await kill(other, { label, nodeid: 3 }).get();
    await zombie;
    const gone = goes(table$, label);
    await wait(other, { label, nodeid: 3 }).get();
    expect(has(label)(await gone)).toBe(false);
  });

  it("shows at once the processes that end with a session", async () => {
    const label = uniqueLabel();
    const table$ = watch(flux, { interval: NEVER_MS });
    const third = stack.connect();
    exec(third, ["sleep", "60"], { label, nodeid: 1 }).subscribe({ error: () => {} });
    await comes(table$, label);
    const gone = goes(table$, label);
    third.close();
    await gone;
  });

  it("shows within its interval changes that do not go through this proxy", async () => {
    const elsewhere = await startStack({ uri: stack.uri });
    try {
      const label = uniqueLabel();
      const table$ = watch(flux, { interval: 500 });
      await firstValueFrom(table$);
      const running = comes(table$, label);
      await lastValueFrom(exec(elsewhere.connect(), sh("sleep 2"), { label, nodeid: 2 }));
      await running;
      await goes(table$, label);
    } finally {
      await elsewhere.close();
    }
  });

  it("has the error of a rank beside the processes of the others", async () => {
    const label = uniqueLabel();
    const table$ = watch(flux, { nodeid: "0,2,9", interval: NEVER_MS });
    const running = comes(table$, label);
    await firstValueFrom(table$);
    exec(other, ["sleep", "1"], { label, nodeid: "0,2" }).subscribe();
    const { processes, errors } = await running;
    expect(processes.map(({ cmd }) => cmd)).toContain("sleep");
    expect(errors).toMatchObject([{ rank: 9, code: "EHOSTUNREACH", errno: 113, topic: "rexec.list" }]);
  });

  it("continues over another connection after a cut, with the changes meanwhile, and keeps unchanged rows", async () => {
    const injector = await startInjector({ target: stack.url, seed: 1 });
    const cut = connect(injector.url(stack.url), { token: stack.token, retry: { delay: () => 300 } });
    try {
      const [stays, comesLate] = [uniqueLabel(), uniqueLabel()];
      await rexecBg(other, ["sleep", "60"], { label: stays }).get();
      const tables: ProcessTable[] = [];
      const ends: unknown[] = [];
      const table$ = watch(cut, { interval: NEVER_MS });
      const subscription = table$.subscribe({
        next: (table) => tables.push(table),
        error: (error) => ends.push(error),
        complete: () => ends.push("completed"),
      });
      const until = async (condition: () => boolean) => {
        while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
      };
      await until(() => tables.some(has(stays)));
      for (let i = 0; i < 3; i++) {
        injector.refusing = true;
        injector.resetAll();
        const label = `${comesLate}-${i}`;
        await rexecBg(other, ["sleep", "60"], { label, nodeid: 3 }).get();
        injector.refusing = false;
        await until(() => tables.some(has(label)));
      }
      expect(ends).toEqual([]);
      const rows = tables.flatMap(({ processes }) => processes.find(({ label }) => label === stays) ?? []);
      expect(new Set(rows).size).toBe(1);
      expect(injector.accepted).toBeGreaterThan(3);
      subscription.unsubscribe();
      await kill(other, { label: stays }).get();
      for (let i = 0; i < 3; i++) await kill(other, { label: `${comesLate}-${i}`, nodeid: 3 }).get();
    } finally {
      cut.close();
      await injector.close();
    }
  });
});

it("ends with the FluxError of a broker that is gone", async () => {
  const broker = await startEmbeddedBroker({ size: 1 });
  const lost = await startStack({ uri: broker.uri });
  try {
    const table$ = watch(lost.connect()).pipe(share({ connector: () => new ReplaySubject(1) }));
    const ended = lastValueFrom(table$).then(
      () => "completed",
      (error) => error.code,
    );
    await firstValueFrom(table$);
    await broker.close();
    expect(await ended).toBe("ECONNRESET");
  } finally {
    await lost.close();
  }
});
