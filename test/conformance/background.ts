import { describe, expect, it } from "vitest";
import { kill, list, rexecBg, Subprocess, wait } from "../../src/index.js";
import { failure, sh, uniqueLabel, until, untilGone, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

export function backgroundCases(context: Context): void {
  describe("background", () => {
    const find = async (label: string, nodeid: number) =>
      (await list(context.flux, { nodeid }).getProcesses()).find((process) => process.label === label);

    it("starts, is listed, becomes a zombie, and is waited for with its output", async () => {
      const label = uniqueLabel();
      const started = rexecBg(context.flux, sh("echo one; echo two >&2; exit 2"), {
        label,
        waitable: true,
        nodeid: 1,
      });
      const pid = await started.getPid();
      expect(await started.getRank()).toBe(1);
      await until(async () => (await find(label, 1))?.state === "Z", "it is a zombie");
      expect(await find(label, 1)).toEqual(new Subprocess({ pid, rank: 1, state: "Z", label, cmd: "sh" }));

      const waited = wait(context.flux, { label, nodeid: 1 });
      expect(await waited.getStatus()).toBe(512);
      expect(await waited.getOutcome()).toEqual({ kind: "exited", code: 2 });
      expect(utf8(await waited.stdout)).toBe("one\n");
      expect(utf8(await waited.stderr)).toBe("two\n");
      expect((await waited.getOutput()).map(({ stream, rank }) => [stream, rank]).sort()).toEqual([
        ["stderr", "1"],
        ["stdout", "1"],
      ]);
      expect(await find(label, 1)).toBeUndefined();
      expect(await failure(wait(context.flux, { label, nodeid: 1 }).get())).toMatchObject({
        code: "ESRCH",
        reason: `label ${label} does not belong to any subprocess`,
      });
    });

    it("is not reached by a pid that 32 bits would make its own", async () => {
      const { flux } = context;
      const pid = await rexecBg(flux, ["sleep", "600"]).getPid();
      for (const wrong of [2 ** 32 + pid, pid - 2 ** 32, -pid, 0, -1]) {
        for (const topic of ["rexec.kill", "rexec.wait"]) {
          expect(await failure(flux.rpc(topic, { pid: wrong, signum: 9 }).get())).toMatchObject({
            code: "EPERM",
            reason: expect.stringContaining("pid is not an integer of 1 to 2147483647"),
          });
        }
      }
      expect((await list(flux).getProcesses()).some((process) => process.pid === pid)).toBe(true);
      await kill(flux, { pid, signum: 9 }).get();
      await untilGone(flux, pid);
    });

    it("is waited for until the deadline, and ends when it does", async () => {
      const { flux } = context;
      const where = { label: uniqueLabel(), nodeid: 1 };
      await rexecBg(flux, ["sleep", "60"], { ...where, waitable: true }).getPid();
      const late = wait(flux, { ...where, timeout: 200 });
      expect(await failure(late.get())).toMatchObject({
        code: "ETIMEDOUT",
        rank: 1,
        topic: "rexec.wait",
        reason: "rank 1 has not answered rexec.wait for 0.2 s",
      });
      // Flux has no way to take a wait back: it takes the status when the process ends.
      await kill(flux, { ...where, signum: "SIGKILL", timeout: 60_000 }).get();
      await until(async () => (await find(where.label, 1)) === undefined, "it is gone");
    });

    it("runs where the proxy is connected to, by default", async () => {
      const started = rexecBg(context.flux, ["true"], { waitable: true });
      const pid = await started.getPid();
      expect(await started.getRank()).toBe(0);
      expect(await wait(context.flux, { pid }).getStatus()).toBe(0);
    });

    it("can be waited for before it ends, by one", async () => {
      const label = uniqueLabel();
      await rexecBg(context.flux, ["sleep", "60"], { label, waitable: true }).get();
      const waiting = wait(context.flux, { label });
      const status = waiting.getStatus();
      expect(await failure(wait(context.flux, { label }).get())).toMatchObject({
        code: "EINVAL",
        reason: "process is already being waited on",
      });
      await kill(context.flux, { label, signum: 9 });
      expect(await status).toBe(9);
      expect(await waiting.getOutcome()).toEqual({ kind: "signaled", signal: 9 });
    });

    it("keeps the last 8 KiB of output, in whole objects", async () => {
      const label = uniqueLabel();
      await rexecBg(context.flux, ["seq", "1", "20000"], { label, waitable: true }).get();
      const stdout = utf8(await wait(context.flux, { label }).stdout);
      expect(stdout.endsWith("19999\n20000\n")).toBe(true);
      expect(stdout.length).toBeLessThanOrEqual(8192);
      expect(stdout.length).toBeGreaterThan(8192 - 12);
    });

    it("cannot be waited for if it is not waitable", async () => {
      const label = uniqueLabel();
      const pid = await rexecBg(context.flux, ["sleep", "60"], { label }).getPid();
      expect(await failure(wait(context.flux, { pid }).get())).toMatchObject({
        code: "EINVAL",
        reason: "process is not waitable",
      });
      await kill(context.flux, { label }).get();
      await untilGone(context.flux, pid);
    });

    it("reads nothing", async () => {
      const pid = await rexecBg(context.flux, sh("cat; echo done"), { waitable: true }).getPid();
      expect(utf8(await wait(context.flux, { pid }).stdout)).toBe("done\n");
    });

    it("gets signals by pid and by label, as a process group", async () => {
      const label = uniqueLabel();
      const script = "trap 'exit 42' USR1; sleep 60 & echo ready; wait";
      const pid = await rexecBg(context.flux, sh(script), { label, waitable: true, nodeid: 2 }).getPid();
      // The signal must not be faster than the trap; which may be set any time after the start.
      const status = wait(context.flux, { pid, nodeid: 2 }).getStatus();
      await until(async () => utf8(await readProc(pid)).includes("\0trap"), "the shell runs");
      await new Promise((resolve) => setTimeout(resolve, 300));
      await kill(context.flux, { label, signum: "SIGUSR1", nodeid: 2 }).get();
      expect(await status).toBe(42 << 8);
    });

    it("gives ESRCH, with the broker's text, for what is not there", async () => {
      expect(await failure(kill(context.flux, { pid: 4194304 }).get())).toMatchObject({
        code: "ESRCH",
        reason: "pid 4194304 does not belong to any subprocess",
        topic: "rexec.kill",
      });
      expect(await failure(wait(context.flux, { pid: 4194304 }).get())).toMatchObject({ code: "ESRCH" });
    });

    it("gives ENOENT for a program that is not there, and keeps no zombie", async () => {
      const label = uniqueLabel();
      const options = { label, waitable: true };
      expect(await failure(rexecBg(context.flux, ["/no/such/program"], options).get())).toMatchObject({
        code: "ENOENT",
        reason: "error launching process: No such file or directory",
      });
      expect(await find(label, 0)).toBeUndefined();
    });
  });
}

async function readProc(pid: number): Promise<Uint8Array> {
  const { readFile } = await import("node:fs/promises");
  return readFile(`/proc/${pid}/cmdline`);
}
