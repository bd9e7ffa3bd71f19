import { equal, ok, random, sha256 } from "./check.js";
import { type Case, type Context, sh, sleep } from "./context.js";

const MiB = 1024 * 1024;

/** A handle of its own, and the states that it goes through. */
function watched({ connect }: Context) {
  const flux = connect(undefined, { retry: { delay: () => 50 } });
  const states: string[] = [];
  flux.status$.subscribe(({ state }) => states.push(state));
  return { flux, states };
}

export const resumeCases: Case[] = [
  {
    name: "cut and resume: one process, every line once",
    async test(context) {
      const { client, rx, control } = context;
      const { flux, states } = watched(context);
      const pids: number[] = [];
      const numbers = client.exec(flux, sh("for n in 1 2 3 4 5 6 7 8; do echo $n; sleep 0.1; done")).pipe(
        rx.tap((event) => {
          if (event.type === "started") pids.push(event.pid);
        }),
        client.orThrow(),
        client.stdout(),
        client.lines(),
        rx.tap((line) => {
          if (line === "2" || line === "5") void control("cut");
        }),
      );
      const lines = await rx.lastValueFrom(numbers.pipe(rx.toArray()));
      equal(lines, ["1", "2", "3", "4", "5", "6", "7", "8"]);
      equal(pids.length, 1);
      ok(states.filter((state) => state === "resuming").length >= 2, `it resumed: ${states}`);
      flux.close();
    },
  },
  {
    name: "cut and resume under a transfer both ways",
    async test(context) {
      const { client, rx, control } = context;
      const { flux, states } = watched(context);
      const bytes = random(4 * MiB);
      let seen = 0;
      let cuts = 0;
      const transfer = client.exec(flux, ["cat"], { stdin: bytes }).pipe(
        rx.tap((event) => {
          if (event.type !== "output") return;
          seen += event.data.length;
          if (seen < (cuts + 1) * MiB || cuts === 3) return;
          cuts++;
          void control("cut");
        }),
        client.collect(),
      );
      const { stdout, outcome } = await rx.firstValueFrom(transfer);
      equal(outcome, { kind: "exited", code: 0 });
      equal([stdout.length, await sha256(stdout)], [bytes.length, await sha256(bytes)]);
      ok(states.includes("resuming"), `it resumed: ${states}`);
      flux.close();
    },
  },
  {
    name: "a proxy that cannot be reached for a while",
    async test(context) {
      const { client, rx, control } = context;
      const { flux, states } = watched(context);
      const running = rx.firstValueFrom(client.exec(flux, sh("sleep 1; exit 5")).pipe(client.collect()));
      await client.list(flux).get();
      await control("refuse?ms=300");
      equal((await running).outcome, { kind: "exited", code: 5 });
      ok(states.filter((state) => state === "resuming").length >= 2, `it tried again: ${states}`);
      flux.close();
    },
  },
  {
    name: "without resuming, a cut is ECONNRESET and the outcome is unknown",
    async test({ client, connect, control, rx }) {
      const flux = connect(undefined, { retry: false });
      const seen: unknown[] = [];
      const ended = new Promise<unknown>((resolve) => {
        client.exec(flux, ["sleep", "60"]).subscribe({
          next: (event) => {
            if (event.type === "started") void sleep(20).then(() => control("cut"));
            if (event.type === "finished") seen.push(event.outcome.kind);
          },
          error: resolve,
        });
      });
      const error = await ended;
      ok(error instanceof client.FluxError, `a FluxError, not ${error}`);
      equal([error.code, ...seen], ["ECONNRESET", "unknown"]);
      equal((await rx.lastValueFrom(flux.status$)).state, "closed");
    },
  },
];
