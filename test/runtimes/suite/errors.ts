import { equal, ok, rejection, thrown } from "./check.js";
import { type Case, type Context, sh } from "./context.js";

/** The stable parts of a FluxError. */
async function refused({ client }: Context, promise: Promise<unknown>): Promise<unknown[]> {
  const error = await rejection(promise);
  ok(error instanceof client.FluxError, `a FluxError, not ${error}`);
  return [error.code, error.errno, error.topic, error.rank];
}

export const errorCases: Case[] = [
  {
    name: "errors of Flux are typed: ENOENT, EACCES, ESRCH, EHOSTUNREACH, ENOSYS, EPERM",
    async test(context) {
      const { client, flux, run } = context;
      equal(await refused(context, run(["/no/such/program"])), ["ENOENT", 2, "rexec.exec", 0]);
      equal(await refused(context, run(["/etc/passwd"])), ["EACCES", 13, "rexec.exec", 0]);
      const killed = client.kill(flux, { label: "nobody", nodeid: 1 }).get();
      equal(await refused(context, killed), ["ESRCH", 3, "rexec.kill", 1]);
      const listed = client.list(flux, { nodeid: 9999 }).get();
      equal(await refused(context, listed), ["EHOSTUNREACH", 113, "rexec.list", 9999]);
      equal((await refused(context, flux.rpc("nope.rexec.list").get()))[0], "ENOSYS");
      equal((await refused(context, run(["true"], { sign: true })))[0], "EPERM");
    },
  },
  {
    name: "invalid arguments throw TypeErrors at once",
    async test({ client, flux, world }) {
      const wrong = [
        () => client.exec(flux, []),
        () => client.exec(flux, ["a\0b"]),
        () => client.exec(flux, ["a"], { stdin: 7 as unknown as string }),
        () => client.spawn(flux, ["a"], { signal: {} as AbortSignal }),
        () => client.kill(flux, {} as { pid: number }),
        () => client.connect("ftp://x", { token: "t" }),
        () => client.connect(world.url, { token: "" }),
      ];
      for (const call of wrong) ok(thrown(call) instanceof TypeError, String(call));
    },
  },
  {
    name: "orThrow turns an outcome into an error",
    async test({ client, flux, rx }) {
      const error = await rejection(rx.lastValueFrom(client.exec(flux, sh("exit 7")).pipe(client.orThrow())));
      ok(error instanceof client.ProcessError, `a ProcessError, not ${error}`);
      equal(error.failures, [{ rank: 0, outcome: { kind: "exited", code: 7 } }]);
    },
  },
  {
    name: "a bad token is EACCES, an unreachable proxy is ECONNREFUSED, a closed handle is ESHUTDOWN",
    async test(context) {
      const { client, connect, flux, world } = context;
      const denied = connect(undefined, { token: "none.of.yours" });
      equal((await refused(context, client.list(denied).get()))[0], "EACCES");
      const nobody = connect(world.nobody, { retry: false });
      equal((await refused(context, client.list(nobody).get()))[0], "ECONNREFUSED");
      const closed = connect();
      closed.close();
      equal((await refused(context, client.list(closed).get()))[0], "ESHUTDOWN");
      await client.list(flux).get();
    },
  },
];
