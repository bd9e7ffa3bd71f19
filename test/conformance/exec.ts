import { lastValueFrom } from "rxjs";
import { describe, expect, it } from "vitest";
import { exec, kill, orThrow, ProcessError } from "../../src/index.js";
import { collectEvents, failure, run, sh, uniqueLabel, untilGone, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

export function execCases(context: Context): void {
  describe("exec", () => {
    it("reports start, output, the ends of both streams and the outcome", async () => {
      const events = await collectEvents(context.flux, sh("echo out; echo err >&2; exit 3"), { nodeid: 1 });
      expect(events[0]).toMatchObject({ type: "started", rank: 1, pid: expect.any(Number) });
      const rest = events.slice(1).map((event) => JSON.stringify("data" in event ? utf8(event.data) : event));
      expect(rest.sort()).toEqual(
        [
          "out\n",
          "err\n",
          { type: "eof", rank: 1, stream: "stdout" },
          { type: "eof", rank: 1, stream: "stderr" },
          { type: "finished", rank: 1, outcome: { kind: "exited", code: 3 } },
        ]
          .map((event) => JSON.stringify(event))
          .sort(),
      );
    });

    it("reports the signal that ended the process", async () => {
      const { outcome } = await run(context.flux, sh("kill -9 $$"));
      expect(outcome).toEqual({ kind: "signaled", signal: 9 });
    });

    it("makes an outcome an error only by option", async () => {
      const failing = exec(context.flux, sh("exit 7"));
      expect(await lastValueFrom(failing)).toBeDefined();
      const error = await lastValueFrom(failing.pipe(orThrow())).catch((reason) => reason);
      expect(error).toBeInstanceOf(ProcessError);
      expect(error.failures).toEqual([{ rank: 0, outcome: { kind: "exited", code: 7 } }]);
    });

    it("fails with ENOENT and EACCES for programs that cannot run, with the broker's text", async () => {
      expect(await failure(run(context.flux, ["/no/such/program"]))).toMatchObject({
        code: "ENOENT",
        reason: "error launching process: No such file or directory",
        topic: "rexec.exec",
        rank: 0,
      });
      // With directories in PATH that may not be read, execvp(3) says EACCES.
      const plain = { env: { PATH: "/usr/bin:/bin" }, cwd: "/" };
      expect(await failure(run(context.flux, ["no-such-program-anywhere"], plain))).toMatchObject({
        code: "ENOENT",
      });
      expect(await failure(run(context.flux, ["/etc/passwd"]))).toMatchObject({ code: "EACCES" });
    });

    it("runs in the directory that it is given", async () => {
      const { stdout } = await run(context.flux, ["pwd"], { cwd: "/usr" });
      expect(utf8(stdout)).toBe("/usr\n");
    });

    it("runs in /tmp if the directory does not exist, and reports it", async () => {
      const { stdout, stderr, outcome } = await run(context.flux, ["pwd"], { cwd: "/no/such/dir" });
      expect(utf8(stdout)).toBe("/tmp\n");
      expect(utf8(stderr)).toBe(
        "Could not change dir to /no/such/dir: No such file or directory. Going to /tmp instead\n",
      );
      expect(outcome).toEqual({ kind: "exited", code: 0 });
    });

    it("sets the environment of the request, and the server's FLUX_URI", async () => {
      const env = {
        PATH: "/usr/bin:/bin",
        GREETING: "hallo",
        FLUX_URI: "local:///nowhere",
        NOTIFY_SOCKET: "x",
      };
      const { stdout } = await run(context.flux, ["env"], { env, cwd: "/", nodeid: 2 });
      const environment = new Map(
        utf8(stdout)
          .trim()
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
      );
      expect(environment.get("GREETING")).toBe("hallo");
      expect(environment.get("FLUX_URI")).toMatch(/^local:\/\/\/.*\/local-2$/);
      expect([...environment.keys()].filter((name) => name !== "PWD").sort()).toEqual([
        "FLUX_URI",
        "GREETING",
        "PATH",
      ]);
    });

    it("sets the server's environment if the request has none", async () => {
      const { stdout } = await run(context.flux, sh('test -n "$PATH" && printenv FLUX_URI'));
      expect(utf8(stdout)).toMatch(/^local:\/\/\//);
    });

    it("closes streams that are not forwarded", async () => {
      const { outcome, stdout } = await run(context.flux, ["echo", "x"], { stdout: false, cwd: "/" });
      expect(stdout).toHaveLength(0);
      expect(outcome).toEqual({ kind: "exited", code: 1 });
    });

    it("refuses a label that is taken, and frees it with the process", async () => {
      const label = uniqueLabel();
      const { pid } = await new Promise<{ pid: number }>((resolve, reject) => {
        exec(context.flux, ["sleep", "60"], { label }).subscribe({
          next: (event) => event.type === "started" && resolve(event),
          error: reject,
        });
      });
      expect(await failure(run(context.flux, ["true"], { label }))).toMatchObject({
        code: "EINVAL",
        reason: "command label is not unique",
      });
      await kill(context.flux, { label, signum: "SIGKILL" }).get();
      await untilGone(context.flux, pid);
      expect((await run(context.flux, ["true"], { label })).outcome).toEqual({ kind: "exited", code: 0 });
    });

    it("reports a stop, and goes on when the process continues", async () => {
      const types: string[] = [];
      await new Promise<void>((resolve, reject) => {
        exec(context.flux, ["sleep", "60"]).subscribe({
          next: (event) => {
            types.push(event.type);
            const signal = (signum: number) => {
              if ("pid" in event || event.type === "stopped") kill(context.flux, { pid, signum }).subscribe();
            };
            if (event.type === "started") {
              pid = event.pid;
              signal(19);
            } else if (event.type === "stopped") {
              signal(18);
              signal(15);
            } else if (event.type === "finished") {
              expect(event.outcome).toEqual({ kind: "signaled", signal: 15 });
            }
          },
          error: reject,
          complete: resolve,
        });
        let pid = 0;
      });
      expect(types.slice(0, 2)).toEqual(["started", "stopped"]);
    });

    it("ends the process when it is unsubscribed from", async () => {
      const pid = await new Promise<number>((resolve, reject) => {
        const subscription = exec(context.flux, ["sleep", "60"], { nodeid: 3 }).subscribe({
          next: (event) => {
            if (event.type !== "started") return;
            resolve(event.pid);
            queueMicrotask(() => subscription.unsubscribe());
          },
          error: reject,
        });
      });
      await untilGone(context.flux, pid, 3);
    });

    it("ends a process that ignores SIGTERM after its killGrace", async () => {
      const pid = await new Promise<number>((resolve, reject) => {
        const script = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
        let started = 0;
        const subscription = exec(context.flux, sh(script), { killGrace: 200 }).subscribe({
          next: (event) => {
            if (event.type === "started") started = event.pid;
            if (event.type !== "output") return;
            resolve(started);
            queueMicrotask(() => subscription.unsubscribe());
          },
          error: reject,
        });
      });
      await untilGone(context.flux, pid);
    });

    it("ends a process that was unsubscribed from before it started", async () => {
      const label = uniqueLabel();
      const subscription = exec(context.flux, ["sleep", "60"], { label }).subscribe();
      await Promise.resolve();
      await Promise.resolve();
      subscription.unsubscribe();
      // The label is free only when there is no such process (any more).
      for (;;) {
        const outcome = await run(context.flux, ["true"], { label }).catch((error) => error.code);
        if (outcome !== "EINVAL") break;
      }
    });

    it("refuses to sign, and does not send it unsigned", async () => {
      const label = uniqueLabel();
      expect(await failure(run(context.flux, ["sleep", "60"], { label, sign: true }))).toMatchObject({
        code: "EPERM",
      });
      expect(await failure(kill(context.flux, { label }).get())).toMatchObject({ code: "ESRCH" });
    });
  });
}
