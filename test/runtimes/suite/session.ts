import { equal, ok } from "./check.js";
import { type Case, utf8 } from "./context.js";

export const sessionCases: Case[] = [
  {
    name: "connects, and its status describes the open session",
    async test({ flux, rx, world }) {
      const status = await rx.firstValueFrom(flux.status$.pipe(rx.filter(({ state }) => state === "open")));
      ok(status.state === "open", "it is open");
      equal([status.rank, status.size], [0, world.size]);
      ok(status.expires > Date.now() / 1000, "the token is still good");
    },
  },
  {
    name: "rpc: any Flux request, on the rank that it names",
    async test({ flux }) {
      const answer = await flux.rpc<{ value: string }>("attr.get", { name: "rank" }, { nodeid: 1 }).get();
      equal(answer, { value: "1", flags: 1 });
    },
  },
  {
    name: "goes on over another connection",
    async test({ connect, client, rx }) {
      const flux = connect();
      await client.list(flux).get();
      await flux.reconnect();
      await client.list(flux).get();
      flux.close();
      equal((await rx.lastValueFrom(flux.status$)).state, "closed");
    },
  },
  {
    name: "takes its foreground processes with it when it is closed",
    async test({ connect, client, gone }) {
      const flux = connect();
      const { pid, lost } = await new Promise<{ pid: number; lost: Promise<unknown> }>((resolve, reject) => {
        const lost = new Promise((error) => {
          client.exec(flux, ["sleep", "60"]).subscribe({
            next: (event) => event.type === "started" && resolve({ pid: event.pid, lost }),
            error,
            complete: () => reject(new Error("it has ended")),
          });
        });
      });
      flux.close();
      const error = await lost;
      ok(error instanceof client.FluxError, `a FluxError, not ${error}`);
      equal(error.code, "ECANCELED");
      await gone(pid);
    },
  },
  {
    name: "renews its token without an interruption",
    async test({ connect, client, control, rx }) {
      let calls = 0;
      const flux = connect(undefined, {
        token: async () => {
          calls++;
          return await control<string>("token?ttl=4");
        },
      });
      const states = new Set<string>();
      flux.status$.subscribe(({ state }) => states.add(state));
      const stdin = new rx.Subject<string>();
      const running = rx.firstValueFrom(client.exec(flux, ["cat"], { stdin }).pipe(client.collect()));
      // A renewal is another "open".
      const opens = flux.status$.pipe(rx.filter(({ state }) => state === "open"));
      const [first, second] = await rx.lastValueFrom(opens.pipe(rx.take(2), rx.toArray()));
      ok(
        first?.state === "open" && second?.state === "open" && second.expires > first.expires,
        "it is renewed",
      );
      stdin.next("still here");
      stdin.complete();
      const { stdout, outcome } = await running;
      equal([utf8(stdout), outcome], ["still here", { kind: "exited", code: 0 }]);
      equal([...states], ["connecting", "open"]);
      equal(calls, 2);
      flux.close();
    },
  },
];
