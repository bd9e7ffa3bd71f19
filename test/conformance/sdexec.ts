/** The service sdexec, which Flux has where it is configured with systemd (flux-config-systemd(5)). */
import { createHash, randomBytes } from "node:crypto";
import { firstValueFrom, NEVER } from "rxjs";
import { beforeEach, describe, expect, it } from "vitest";
import { attach, exec, kill, list, type ProcessEvent, rexecBg, wait, write } from "../../src/index.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { collectEvents, failure, run, uniqueLabel, until, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

const service = "sdexec";
/** systemd expands "$NAME" in arguments: scripts here have no variable. */
const sh = (script: string) => ["/bin/sh", "-c", script];
const cmd = { cmdline: ["/bin/true"], env: {}, opts: {}, channels: [] };

export function sdexecCases(context: Context): void {
  describe("sdexec", () => {
    beforeEach(async (test) => {
      const missing = await list(context.flux, { service })
        .get()
        .then(
          () => undefined,
          (error) => error.reason as string,
        );
      test.skip(missing !== undefined, missing);
    });
    const at = { service, nodeid: 1 };

    it("runs a process in the foreground, with its output and its end", async () => {
      const events = await collectEvents(context.flux, sh("echo out; echo err >&2; exit 3"), at);
      expect(events[0]).toMatchObject({ type: "started", rank: 1, pid: expect.any(Number) });
      expect(events).toContainEqual({ type: "finished", rank: 1, outcome: { kind: "exited", code: 3 } });
      const output = events.flatMap((event) =>
        event.type === "output" ? [[event.stream, utf8(event.data)]] : [],
      );
      expect(output.sort()).toEqual([
        ["stderr", "err\n"],
        ["stdout", "out\n"],
      ]);
      expect(events.filter(({ type }) => type === "eof")).toHaveLength(2);
    });

    it("gives input that was there before, and its end", async () => {
      expect(utf8((await run(context.flux, ["/bin/cat"], { ...at, stdin: "héllo" })).stdout)).toBe("héllo");
      expect((await run(context.flux, ["/bin/cat"], at)).stdout).toHaveLength(0);
    });

    it("carries 8 MiB of random bytes there and back, on several ranks", async () => {
      const bytes = randomBytes(8 * 1024 * 1024);
      const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
      const { stdout } = await run(context.flux, ["/bin/cat"], { ...at, stdin: bytes });
      expect(sha256(stdout)).toBe(sha256(bytes));
      const events = await collectEvents(context.flux, ["sha256sum"], {
        service,
        nodeid: "0-2",
        stdin: bytes,
      });
      const sums = events.flatMap((event) => (event.type === "output" ? [utf8(event.data)] : []));
      const sum = `${sha256(bytes)}  -\n`;
      expect(sums).toEqual([sum, sum, sum]);
    });

    it("takes input while the process runs", async () => {
      const output: string[] = [];
      await new Promise<void>((resolve, reject) => {
        exec(context.flux, sh("cat; echo done"), { ...at, stdin: NEVER }).subscribe({
          next: (event) => {
            if (event.type === "output") output.push(utf8(event.data));
            if (event.type === "started") write(context.flux, event, "one\n").get().catch(reject);
            if (output.join("") === "one\n" && event.type === "output") {
              write(context.flux, { matchtag: started?.matchtag ?? 0 }, "two\n", { eof: true })
                .get()
                .catch(reject);
            }
            if (event.type === "started") started = event;
          },
          error: reject,
          complete: resolve,
        });
        let started: (ProcessEvent & { type: "started" }) | undefined;
      });
      expect(output.join("")).toBe("one\ntwo\ndone\n");
    });

    it("is not sent more input than waits between it and a process that reads late", async () => {
      const piece = new Uint8Array(16 * 1024);
      const all = 4 * 1024 * 1024;
      let produced = 0;
      let aheadWhileAsleep = 0;
      async function* source() {
        for (; produced < all; produced += piece.length) yield piece;
      }
      let count = "";
      await new Promise<void>((resolve, reject) => {
        exec(context.flux, sh("sleep 1; echo awake >&2; exec wc -c"), { ...at, stdin: source() }).subscribe({
          next: (event) => {
            if (event.type === "started")
              setTimeout(() => {
                aheadWhileAsleep = produced;
              }, 600);
            if (event.type === "output" && event.stream === "stdout") count += utf8(event.data);
          },
          error: reject,
          complete: resolve,
        });
      });
      // A socket's worth and a window, where no bound would have let all of it go.
      expect(aheadWhileAsleep).toBeLessThan(1024 * 1024);
      expect(count.trim()).toBe(String(all));
    });

    it("ignores the end of a stream that it does not have", async () => {
      const events: ProcessEvent[] = [];
      await new Promise<void>((resolve, reject) => {
        exec(context.flux, ["/bin/cat"], { ...at, stdin: NEVER }).subscribe({
          next: (event) => {
            events.push(event);
            if (event.type !== "started") return;
            write(context.flux, event, "", { stream: "NONE", eof: true }).subscribe();
            write(context.flux, event, "in", { eof: true }).subscribe();
          },
          error: reject,
          complete: resolve,
        });
      });
      expect(events).toContainEqual({ type: "finished", rank: 1, outcome: { kind: "exited", code: 0 } });
    });

    it("refuses write-credit, channels and options of background processes, each with its text", async () => {
      const streaming = (flags: number) =>
        new Promise<unknown>((resolve) => {
          const request = { topic: "sdexec.exec", nodeid: "1", streaming: true, payload: { cmd, flags } };
          context.flux.session.start(request, {
            next: (message) =>
              message.type === "error" && resolve([message.error.code, message.error.reason]),
            error: resolve,
            complete: () => resolve("completed"),
          });
        });
      expect(await streaming(EXEC_FLAG.stdout | EXEC_FLAG.writeCredit)).toEqual([
        "EINVAL",
        "sdexec has no write-credit: an exec without that flag (8) takes input all the same",
      ]);
      expect(await streaming(EXEC_FLAG.channel)).toEqual([
        "EINVAL",
        "subprocess auxiliary channels are not supported yet",
      ]);
      expect(await streaming(EXEC_FLAG.waitable)).toEqual([
        "EINVAL",
        "waitable flag only supported in background mode",
      ]);
      expect(await streaming(32)).toEqual(["EINVAL", "EINVAL"].map((text) => expect.stringContaining(text)));
      expect(await streaming(EXEC_FLAG.stdout | EXEC_FLAG.stderr)).toBe("completed");
    });

    it("refuses attach with its text", async () => {
      const error = await failure(firstValueFrom(attach(context.flux, { pid: 1, ...at })));
      expect(error).toMatchObject({ code: "ENOSYS", topic: "sdexec.attach" });
      expect(error.reason).toMatch(/^sdexec has no attach: /);
    });

    it("starts in background, is listed, and is waited for with its output", async () => {
      const label = uniqueLabel();
      const options = { ...at, label, waitable: true };
      const pid = await rexecBg(context.flux, sh("cat; echo one; echo two >&2; exit 2"), options).getPid();
      const find = async () =>
        (await list(context.flux, at).getProcesses()).find((process) => process.label === label);
      await until(async () => (await find())?.state === "Z", "it is a zombie");
      expect(await find()).toMatchObject({ pid, cmd: "/bin/sh" });
      const waited = wait(context.flux, { label, ...at });
      expect(await waited.getStatus()).toBe(512);
      expect([utf8(await waited.stdout), utf8(await waited.stderr)]).toEqual(["one\n", "two\n"]);
      expect(await failure(wait(context.flux, { label, ...at }).get())).toMatchObject({
        code: "ESRCH",
        reason: `wait label=${label} not found`,
      });
    });

    it("gets signals, by label whatever the pid, with an answer that has no payload", async () => {
      const label = uniqueLabel();
      await rexecBg(context.flux, ["/bin/sleep", "60"], { ...at, label, waitable: true }).get();
      const answer = context.flux.rpc("sdexec.kill", { pid: 1, label, signum: 15 }, { nodeid: 1 });
      expect(await answer.get()).toEqual({});
      expect(await wait(context.flux, { label, ...at }).getOutcome()).toEqual({
        kind: "signaled",
        signal: 15,
      });
      expect(await failure(kill(context.flux, { pid: 4194304, ...at }).get())).toMatchObject({
        code: "ESRCH",
        reason: "kill pid=4194304 not found",
      });
    });

    it("gives ENOENT for a program that is not there", async () => {
      // systemd tells of a process before it has executed its program.
      const error = await run(context.flux, ["/no/such/program"], at).then(
        ({ outcome }) => outcome.kind === "unknown" && outcome.cause,
        (reason) => reason,
      );
      expect(error).toMatchObject({
        code: "ENOENT",
        reason: "unit process could not be started (systemd error 203)",
      });
    });

    it("ends the process when it is unsubscribed from", async () => {
      const pid = await new Promise<number>((resolve, reject) => {
        const subscription = exec(context.flux, ["/bin/sleep", "60"], at).subscribe({
          next: (event) => {
            if (event.type !== "started") return;
            resolve(event.pid);
            queueMicrotask(() => subscription.unsubscribe());
          },
          error: reject,
        });
      });
      await until(
        async () => !(await list(context.flux, at).getProcesses()).some((process) => process.pid === pid),
        "it is gone",
      );
    });

    it("takes the options that it has, and refuses values that they cannot have", async () => {
      const opts = {
        SDEXEC_NAME: `${uniqueLabel()}.service`,
        SDEXEC_PROP_Description: "a test",
        SDEXEC_STOP_TIMER_SEC: "5",
      };
      expect((await run(context.flux, ["/bin/true"], { ...at, opts })).outcome).toEqual({
        kind: "exited",
        code: 0,
      });
      const bad = { stdout_LINE_BUFFER: "maybe" };
      expect(await failure(run(context.flux, ["/bin/true"], { ...at, opts: bad }))).toMatchObject({
        code: "EINVAL",
      });
    });
  });
}
