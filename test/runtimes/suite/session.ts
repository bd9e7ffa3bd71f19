import { equal, ok, rejection } from "./check.js";
import type { Case } from "./context.js";

export const sessionCases: Case[] = [
  {
    name: "connects, and tells of the session that is open",
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
    async test({ connect, client, rx, gone }) {
      const flux = connect();
      const events = client.exec(flux, ["sleep", "60"]);
      const lost = rejection(rx.lastValueFrom(events));
      const [process] = await rx.firstValueFrom(
        rx.timer(0, 25).pipe(
          rx.concatMap(() => client.list(flux).getProcesses()),
          rx.filter((processes) => processes.length > 0),
        ),
      );
      flux.close();
      const error = await lost;
      ok(error instanceof client.FluxError, `a FluxError, not ${error}`);
      equal(error.code, "ECANCELED");
      await gone((process as { pid: number }).pid);
    },
  },
  {
    name: "renews its token without an interruption",
    async test({ connect, client, control, rx }) {
      let asked = 0;
      const flux = connect(undefined, {
        token: async () => {
          asked++;
          return await control<string>("token?ttl=2");
        },
      });
      const states = new Set<string>();
      flux.status$.subscribe(({ state }) => states.add(state));
      const running = client.exec(flux, ["sleep", "2.5"]);
      const { outcome } = await rx.firstValueFrom(running.pipe(client.collect()));
      equal(outcome, { kind: "exited", code: 0 });
      equal([...states], ["connecting", "open"]);
      ok(asked >= 2, `a token was asked for ${asked} times`);
      flux.close();
    },
  },
];
