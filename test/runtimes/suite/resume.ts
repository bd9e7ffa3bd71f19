import type { Status } from "../../../src/index.js";
import { equal, ok, random, sha256 } from "./check.js";
import { type Case, type Context, sh } from "./context.js";

const MiB = 1024 * 1024;

/** A handle with a session of its own, and its states so far. */
function watched({ connect }: Context) {
  const flux = connect(undefined, { retry: { delay: () => 50 } });
  const states: string[] = [];
  flux.status$.subscribe(({ state }) => states.push(state));
  return { flux, states };
}

export const resumeCases: Case[] = [
  {
    name: "cut and resume: one process, every line once, both ways",
    async test(context) {
      const { client, rx, control } = context;
      const { flux, states } = watched(context);
      const stdin = new rx.Subject<string>();
      let starts = 0;
      // The next line is requested when the last has come back, so a line requested after a cut needs a resume.
      const ask = async (n: number) => {
        if (n === 3 || n === 6) await control("cut");
        if (n > 8) stdin.complete();
        else stdin.next(`${n}\n`);
      };
      const lines = client.exec(flux, sh("while read n; do echo $n; done"), { stdin }).pipe(
        rx.tap((event) => {
          if (event.type === "started" && ++starts === 1) void ask(1);
        }),
        client.orThrow(),
        client.stdout(),
        client.lines(),
        rx.tap((line) => void ask(Number(line) + 1)),
      );
      equal(await rx.lastValueFrom(lines.pipe(rx.toArray())), ["1", "2", "3", "4", "5", "6", "7", "8"]);
      equal(starts, 1);
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
      async function* pieces() {
        for (let at = 0; at < bytes.length; at += MiB) {
          yield bytes.subarray(at, at + MiB);
          await control("cut");
        }
      }
      const transfer = client.exec(flux, ["cat"], { stdin: pieces() }).pipe(client.collect());
      const { stdout, outcome } = await rx.firstValueFrom(transfer);
      equal(outcome, { kind: "exited", code: 0 });
      equal([stdout.length, await sha256(stdout)], [bytes.length, await sha256(bytes)]);
      ok(states.includes("resuming"), `it resumed: ${states}`);
      flux.close();
    },
  },
  {
    name: "a proxy that is unreachable for a while",
    async test(context) {
      const { client, rx, control } = context;
      const { flux } = watched(context);
      const stdin = new rx.Subject<string>();
      const running = rx.firstValueFrom(
        client.exec(flux, sh("read code; exit $code"), { stdin }).pipe(client.collect()),
      );
      await client.list(flux).get();
      await control("refuse");
      const again = ({ state, ...status }: Status) =>
        state === "resuming" && "attempt" in status && status.attempt > 2;
      await rx.firstValueFrom(flux.status$.pipe(rx.filter(again)));
      await control("accept");
      stdin.next("5\n");
      equal((await running).outcome, { kind: "exited", code: 5 });
      flux.close();
    },
  },
  {
    name: "without resuming, a cut is ECONNRESET and the outcome is unknown",
    async test({ client, connect, control, rx }) {
      const flux = connect(undefined, { retry: false });
      const kinds: unknown[] = [];
      const ended = new Promise<unknown>((resolve) => {
        client.exec(flux, ["sleep", "60"]).subscribe({
          next: (event) => {
            if (event.type === "started") void control("cut");
            if (event.type === "finished") kinds.push(event.outcome.kind);
          },
          error: resolve,
        });
      });
      const error = await ended;
      ok(error instanceof client.FluxError, `a FluxError, not ${error}`);
      equal([error.code, ...kinds], ["ECONNRESET", "unknown"]);
      equal((await rx.lastValueFrom(flux.status$)).state, "closed");
    },
  },
];
