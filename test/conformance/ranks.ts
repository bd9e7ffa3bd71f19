import { firstValueFrom, lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import {
  attach,
  collect,
  exec,
  hosts,
  kill,
  list,
  type RankError,
  rexecBg,
  spawn,
  wait,
} from "../../src/index.js";
import { failure, sh, uniqueLabel, until, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

export function ranksCases(context: Context): void {
  describe("several ranks", () => {
    const size = async () => (await context.flux.rpc<{ value: string }>("attr.get", { name: "size" })).value;

    it("starts, lists, signals and waits for a labelled process with one request each", async () => {
      const { flux } = context;
      const label = uniqueLabel();
      const where = { label, nodeid: [0, 1, 3] };
      const started = await rexecBg(flux, ["sleep", "600"], { ...where, waitable: true });
      expect(started.map(({ rank, service }) => [rank, service])).toEqual([
        [0, "rexec"],
        [1, "rexec"],
        [3, "rexec"],
      ]);
      const listed = await list(flux, { nodeid: "all" }).getProcesses();
      const ours = listed.filter((process) => process.label === label);
      expect(ours.map(({ ref }) => ref)).toEqual(started);
      expect(await kill(flux, { ...where, signum: "SIGKILL" })).toEqual([
        { rank: 0 },
        { rank: 1 },
        { rank: 3 },
      ]);
      const ended = await wait(flux, where);
      expect(ended.map(({ rank, outcome }) => [rank, outcome])).toEqual(
        [0, 1, 3].map((rank) => [rank, { kind: "signaled", signal: 9 }]),
      );
    });

    it("keeps failures apart from results", async () => {
      const { flux } = context;
      const label = uniqueLabel();
      await rexecBg(flux, sh("echo $0 here; exit 3"), { label, waitable: true, nodeid: "1-2" });
      const { results, errors } = await wait(flux, { label, nodeid: "0-2,9999" }).settle();
      expect(results.map(({ rank, status, stdout }) => [rank, status, utf8(stdout)])).toEqual([
        [1, 0x300, "sh here\n"],
        [2, 0x300, "sh here\n"],
      ]);
      expect(errors.map(({ rank, code, topic }) => [rank, code, topic])).toEqual([
        [0, "ESRCH", "rexec.wait"],
        [9999, "EHOSTUNREACH", "rexec.wait"],
      ]);
      const error = await kill(flux, { label, nodeid: "1-2" }).then(
        () => undefined,
        (rejected: unknown) => rejected as RankError,
      );
      expect(error).toMatchObject({ name: "RankError", ranks: "1-2", results: [] });
    });

    it("names a process by its reference, without its rank and service", async () => {
      const { flux } = context;
      const nap = await rexecBg(flux, ["sleep", "600"], { waitable: true, nodeid: 2 });
      const attached = firstValueFrom(attach(flux, nap));
      expect(await attached).toMatchObject({ type: "attached", rank: 2, pid: nap.pid });
      // The detach may still be under way.
      await until(async () => {
        const { errors } = await kill(flux, { pid: nap.pid, nodeid: [2], signum: "SIGTERM" }).settle();
        return errors.length === 0;
      }, "it was sent the signal");
      expect(await wait(flux, nap).getOutcome()).toEqual({ kind: "signaled", signal: 15 });
      expect(await failure(wait(flux, nap).get())).toMatchObject({ code: "ESRCH", rank: 2 });
    });

    it("takes the names of hosts, and gives all ranks of a name", async () => {
      const { flux } = context;
      const names = await hosts(flux);
      expect([...names.keys()]).toEqual(Array.from({ length: Number(await size()) }, (_, rank) => rank));
      const name = names.get(1) as string;
      const ranks = [...names].flatMap(([rank, host]) => (host === name ? [rank] : []));
      expect([...(await hosts(flux, { hosts: name }))]).toEqual(ranks.map((rank) => [rank, name]));
      const ran = await lastValueFrom(exec(flux, ["true"], { nodeid: name }).pipe(collect(), toArray()));
      expect(ran.map(({ rank }) => rank)).toEqual(ranks);
      const listed = await list(flux, { nodeid: `${name},${name}` });
      expect(listed.map(({ rank }) => rank)).toEqual(ranks);
      const child = spawn(flux, ["true"], { nodeid: name });
      if (ranks.length === 1) expect(await child.status).toMatchObject({ success: true });
      else expect(await failure(child.status)).toMatchObject({ code: "EINVAL" });
    });

    it("sends nothing to hosts of which one does not exist", async () => {
      const { flux } = context;
      const label = uniqueLabel();
      const name = [...(await hosts(flux)).values()][0] as string;
      const nodeid: string = `${name},no-such-host[1-2]`;
      expect(await failure(rexecBg(flux, ["sleep", "600"], { label, nodeid }).get())).toMatchObject({
        code: "EHOSTUNREACH",
        reason: "no such host: no-such-host1,no-such-host2",
      });
      const listed = await list(flux, { nodeid: "all" }).getProcesses();
      expect(listed.filter((process) => process.label === label)).toEqual([]);
    });
  });
}
