/** Clauses of RFC 42 that no other case is about, each by its section. */
import { firstValueFrom, lastValueFrom, NEVER, tap, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { attach, exec, kill, type ProcessEvent, rexecBg, wait, write } from "../../src/index.js";
import { failure, run, sh, uniqueLabel, until, untilGone, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

/** A pid that no process of a broker has. */
const NO_PID = 4194304;

export function clauseCases(context: Context): void {
  describe("RFC 42", () => {
    const rpc = (method: string, payload: object) => context.flux.rpc(`rexec.${method}`, payload);
    const cmd = { cmdline: ["true"], env: {}, opts: {}, channels: [] };

    /** Attaches until `enough`; the events so far. */
    const attached = (label: string, flags: object, enough: (events: ProcessEvent[]) => boolean) =>
      new Promise<ProcessEvent[]>((resolve, reject) => {
        const events: ProcessEvent[] = [];
        const subscription = attach(context.flux, { label, ...flags }).subscribe({
          next: (event) => {
            events.push(event);
            if (!enough(events)) return;
            resolve(events);
            queueMicrotask(() => subscription.unsubscribe());
          },
          error: reject,
        });
      });
    /** Retries, because the broker receives a detach a moment later. */
    const again = async (...args: Parameters<typeof attached>): Promise<ProcessEvent[]> => {
      for (;;) {
        const events = await attached(...args).catch((error) => {
          if (error.code !== "EBUSY") throw error;
        });
        if (events) return events;
      }
    };
    const ends = (events: ProcessEvent[]) =>
      events.flatMap((event) => (event.type === "eof" ? [event.stream] : []));

    it("kill, wait: the label decides, whatever the pid beside it", async () => {
      const label = uniqueLabel();
      const other = await rexecBg(context.flux, ["sleep", "60"], { waitable: true }).getPid();
      await rexecBg(context.flux, ["sleep", "60"], { label, waitable: true }).get();
      expect(await rpc("kill", { pid: other, label, signum: 9 }).get()).toEqual({});
      expect(await rpc("wait", { pid: other, label }).get()).toEqual({ status: 9 });
      expect(await failure(rpc("kill", { pid: other, label, signum: 9 }).get())).toMatchObject({
        code: "ESRCH",
        reason: `label ${label} does not belong to any subprocess`,
      });
      await kill(context.flux, { pid: other, signum: 15 }).get();
      expect(await wait(context.flux, { pid: other }).getStatus()).toBe(15);
    });

    it("attach: the label decides, whatever the pid beside it", async () => {
      const label = uniqueLabel();
      const pid = await rexecBg(context.flux, ["sleep", "60"], { label }).getPid();
      const payload = { pid: NO_PID, label, flags: 3 };
      const request = { topic: "rexec.attach", nodeid: "any", streaming: true, payload };
      const session = context.flux.session;
      const first = await new Promise<unknown>((resolve, reject) => {
        const call = session.start(request, {
          next: (message) => {
            resolve(message);
            queueMicrotask(() => session.detach(call));
          },
          error: reject,
          complete: () => {},
        });
      });
      expect(first).toMatchObject({ type: "response", payload: { type: "attached", pid } });
      await kill(context.flux, { label, signum: 9 }).get();
      await untilGone(context.flux, pid);
    });

    it("kill: the answer has no payload", async () => {
      const pid = await rexecBg(context.flux, ["sleep", "60"], { waitable: true }).getPid();
      expect(await rpc("kill", { pid, signum: 15 }).get()).toEqual({});
      expect(await wait(context.flux, { pid }).getStatus()).toBe(15);
    });

    it("attach: sends one end of each stream, also of a stream that closed before", async () => {
      const label = uniqueLabel();
      const pid = await rexecBg(context.flux, sh("exec >&-; exec sleep 60"), { label }).getPid();
      for (let round = 0; round < 3; round++) {
        const events = await again(label, {}, (events) => ends(events).length > 0);
        expect([events[0]?.type, ends(events)]).toEqual(["attached", ["stdout"]]);
      }
      const toItsEnd = () => {
        const kills = tap<ProcessEvent>(({ type }) => {
          if (type === "attached") kill(context.flux, { label, signum: 9 }).subscribe();
        });
        return lastValueFrom(attach(context.flux, { label }).pipe(kills, toArray()));
      };
      let last: ProcessEvent[] | undefined;
      while (last === undefined) {
        last = await toItsEnd().catch((error) => {
          if (error.code !== "EBUSY") throw error;
          return undefined;
        });
      }
      expect(ends(last).sort()).toEqual(["stderr", "stdout"]);
      await untilGone(context.flux, pid);
    });

    it("attach: its flags choose the forwarded streams, not those of the exec", async () => {
      const label = uniqueLabel();
      const script = "while :; do echo out; echo err >&2; sleep 0.05; done";
      const pid = await rexecBg(context.flux, sh(script), { label }).getPid();
      const streams = (events: ProcessEvent[]) =>
        new Set(events.flatMap((event) => (event.type === "output" ? [event.stream] : [])));
      const some = (events: ProcessEvent[]) => events.filter(({ type }) => type === "output").length > 6;
      expect(streams(await again(label, { stdout: false }, some))).toEqual(new Set(["stderr"]));
      expect(streams(await again(label, { stderr: false }, some))).toEqual(new Set(["stdout"]));
      expect(streams(await again(label, {}, some))).toEqual(new Set(["stdout", "stderr"]));
      await kill(context.flux, { label, signum: 9 }).get();
      await untilGone(context.flux, pid);
    });

    it.each([{ stdout_LINE_BUFFER: "true" }, { stdout_LINE_BUFFER: "false" }])(
      "exec: output comes in the order in which it was written (%j)",
      async (opts) => {
        const { stdout } = await run(context.flux, ["seq", "1", "5000"], { opts });
        expect(utf8(stdout)).toBe(`${Array.from({ length: 5000 }, (_, i) => i + 1).join("\n")}\n`);
      },
    );

    it.each([
      ["env", 3, "EINVAL"],
      ["env", null, "EINVAL"],
      ["opts", 3, "EPROTO"],
      ["opts", true, "EPROTO"],
    ])("command object: a value of %s that is %j is refused", async (field, value, code) => {
      const request = rpc("exec", { cmd: { ...cmd, [field]: { NAME: value } }, flags: 0 });
      expect(await failure(request.get())).toMatchObject({ code, reason: "error parsing command string" });
    });

    it("command object: without cwd a process has the server's", async () => {
      const { stdout } = await run(context.flux, sh("pwd -P; readlink /proc/$PPID/cwd"));
      const [mine, servers] = utf8(stdout).split("\n");
      expect([mine, mine?.startsWith("/")]).toEqual([servers, true]);
    });

    it("command object: an empty label is refused by the proxy, in every request", async () => {
      const requests = [
        rpc("exec", { cmd: { ...cmd, label: "" }, flags: 0 }),
        rpc("kill", { pid: NO_PID, label: "", signum: 9 }),
        rpc("wait", { pid: NO_PID, label: "" }),
      ];
      for (const request of requests) {
        expect(await failure(request.get())).toMatchObject({ code: "EINVAL", reason: "label is empty" });
      }
      expect(() => exec(context.flux, ["true"], { label: "" })).toThrow(TypeError);
      expect(() => attach(context.flux, { label: "" })).toThrow(TypeError);
    });

    it("write: the end of a stream that the process does not have ends it", async () => {
      const { error, started } = await new Promise<{ error: unknown; started: boolean }>((resolve) => {
        let begun = false;
        exec(context.flux, ["cat"], { stdin: NEVER }).subscribe({
          next: (event) => {
            if (event.type !== "started") return;
            begun = true;
            write(context.flux, event, "", { stream: "NONE", eof: true }).subscribe();
          },
          error: (reason) => resolve({ error: reason, started: begun }),
        });
      });
      expect(started).toBe(true);
      expect(error).toMatchObject({ code: "EINVAL", reason: "internal fatal error: Invalid argument" });
    });

    it("write: names that no channel can have are refused before anything is sent", async () => {
      const started = await new Promise<ProcessEvent & { type: "started" }>((resolve, reject) => {
        exec(context.flux, ["cat"], { stdin: NEVER }).subscribe({
          next: (event) => event.type === "started" && resolve(event),
          error: reject,
        });
      });
      for (const stream of ["", "a\0b", "x".repeat(256)]) {
        expect(() => write(context.flux, started, "x", { stream })).toThrow(TypeError);
      }
      await write(context.flux, started, "", { eof: true }).get();
      await untilGone(context.flux, started.pid);
    });

    it("wait: refuses a process whose end an attach has reported", async () => {
      const label = uniqueLabel();
      await rexecBg(context.flux, ["true"], { label, waitable: true }).get();
      await until(
        async () =>
          (
            await firstValueFrom(
              context.flux.rpc<{ procs: { label: string; state: string }[] }>("rexec.list"),
            )
          ).procs.some((process) => process.label === label && process.state === "Z"),
        "it is a zombie",
      );
      await attached(label, {}, (events) => events.at(-1)?.type === "finished");
      expect(await failure(wait(context.flux, { label }).get())).toMatchObject({ code: "ESRCH" });
    });
  });
}
