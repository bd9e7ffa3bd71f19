import { firstValueFrom, lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { attach, collect, exec, kill, list, rexecBg, wait } from "../../src/index.js";
import { failure, sh, uniqueLabel, until, untilGone, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

export function attachCases(context: Context): void {
  describe("attach", () => {
    /** Attaches and waits until that is so. */
    const attached = (label: string) =>
      new Promise<{ unsubscribe(): void; output: string[]; over: Promise<void> }>((resolve, reject) => {
        const output: string[] = [];
        let end!: () => void;
        const over = new Promise<void>((settle) => {
          end = settle;
        });
        const subscription = attach(context.flux, { label }).subscribe({
          next: (event) => {
            if (event.type === "output") output.push(utf8(event.data));
            const unsubscribe = () => subscription.unsubscribe();
            if (event.type === "attached") queueMicrotask(() => resolve({ unsubscribe, output, over }));
          },
          error: reject,
          complete: end,
        });
      });

    /**
     * RFC 42 has a waitable process reaped by an attach that saw it finish; flux-core keeps it as a zombie, busy until
     * the attach's connection is closed.
     */
    const reap = (label: string, nodeid: number) =>
      retryBusy(() => wait(context.flux, { label, nodeid }).get()).catch((error) =>
        expect(error.code).toBe("ESRCH"),
      );

    it("follows a process in background to its end", async () => {
      const label = uniqueLabel();
      const command = sh("sleep 0.3; echo late; exit 4");
      const pid = await rexecBg(context.flux, command, { label, waitable: true, nodeid: 1 }).getPid();
      const events = await lastValueFrom(attach(context.flux, { label, nodeid: 1 }).pipe(toArray()));
      expect(events[0]).toMatchObject({ type: "attached", rank: 1, pid, cmd: { cmdline: command, label } });
      expect(events).toContainEqual({ type: "finished", rank: 1, outcome: { kind: "exited", code: 4 } });
      const output = events.flatMap((event) => (event.type === "output" ? [utf8(event.data)] : []));
      expect(output).toEqual(["late\n"]);
      await reap(label, 1);
    });

    it("lets the process go back to background when it is unsubscribed from, and again follows it", async () => {
      const label = uniqueLabel();
      const pid = await rexecBg(context.flux, sh("while :; do echo tick; sleep 0.1; done"), {
        label,
      }).getPid();
      for (let round = 0; round < 3; round++) {
        const { unsubscribe, output } = await retryBusy(() => attached(label));
        await until(() => output.length > 0, "output comes");
        unsubscribe();
      }
      expect((await list(context.flux).getProcesses()).find((process) => process.pid === pid)?.state).toBe(
        "R",
      );
      await kill(context.flux, { label, signum: 9 }).get();
      await untilGone(context.flux, pid);
    });

    it("is for one at a time, and excludes waiting", async () => {
      const label = uniqueLabel();
      await rexecBg(context.flux, ["sleep", "60"], { label, waitable: true }).get();
      const { over } = await attached(label);
      expect(await failure(firstValueFrom(attach(context.flux, { label })))).toMatchObject({
        code: "EBUSY",
        reason: "subprocess already has a client attached",
      });
      expect(await failure(wait(context.flux, { label }).get())).toMatchObject({
        code: "EBUSY",
        reason: "subprocess has a client attached",
      });
      await kill(context.flux, { label, signum: 9 }).get();
      await over;
      await reap(label, 0);
    });

    it("is refused while somebody waits", async () => {
      const label = uniqueLabel();
      await rexecBg(context.flux, ["sleep", "60"], { label, waitable: true }).get();
      // On another connection to the broker than the attach: either may be first.
      const status = retryBusy(() => wait(context.flux, { label }).getStatus());
      await until(async () => {
        const refused = await firstValueFrom(attach(context.flux, { label })).catch((error) => error);
        return refused.code === "EBUSY" && refused.reason === "subprocess is being waited on";
      }, "the attach is refused");
      await kill(context.flux, { label, signum: 9 }).get();
      expect(await status).toBe(9);
    });

    it("is refused for a process in the foreground, and for one that does not exist", async () => {
      const pid = await new Promise<number>((resolve, reject) => {
        exec(context.flux, ["sleep", "60"]).subscribe({
          next: (event) => event.type === "started" && resolve(event.pid),
          error: reject,
        });
      });
      expect(await failure(firstValueFrom(attach(context.flux, { pid })))).toMatchObject({
        code: "EBUSY",
        reason: "subprocess is not in background mode",
      });
      await kill(context.flux, { pid, signum: 9 }).get();
      expect(await failure(firstValueFrom(attach(context.flux, { pid: 4194304 })))).toMatchObject({
        code: "ENOENT",
      });
    });

    it("takes the status of a process that has already exited", async () => {
      const label = uniqueLabel();
      const pid = await rexecBg(context.flux, sh("echo early; exit 5"), { label, waitable: true }).getPid();
      await until(
        async () => (await list(context.flux).getProcesses()).find((p) => p.pid === pid)?.state === "Z",
        "it is a zombie",
      );
      const { outcome, stdout } = await firstValueFrom(attach(context.flux, { label }).pipe(collect()));
      expect(outcome).toEqual({ kind: "exited", code: 5 });
      expect(stdout).toHaveLength(0);
      expect(await failure(wait(context.flux, { label }).get())).toMatchObject({ code: "ESRCH" });
    });
  });
}

/** The broker processes a detach a moment after the request. */
async function retryBusy<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if ((error as { code?: string }).code !== "EBUSY") throw error;
    }
  }
}
