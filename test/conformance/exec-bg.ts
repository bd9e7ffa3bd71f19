import { connect as connectTcp, createServer, type Socket } from "node:net";
import { firstValueFrom, lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { attach, connect, execBg, type Flux, kill, list, type ProcessEvent, wait } from "../../src/index.js";
import { failure, sh, uniqueLabel, until, untilGone, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

export function execBgCases(context: Context): void {
  describe("exec in background", () => {
    const states = async (flux: Flux, label: string) =>
      (await list(flux, { nodeid: 1 }).getProcesses()).flatMap((p) => (p.label === label ? [p.state] : []));

    /** Runs until the first output. */
    const running = (flux: Flux, label: string, script: string) =>
      new Promise<{ events: ProcessEvent[]; error: Promise<unknown> }>((resolve) => {
        const events: ProcessEvent[] = [];
        const error = new Promise((fail) => {
          execBg(flux, sh(script), { label, nodeid: 1 }).subscribe({
            next: (event) => {
              events.push(event);
              if (event.type === "output") resolve({ events, error });
            },
            error: fail,
          });
        });
      });

    it("has all output from the first byte, the end, and leaves nothing", async () => {
      for (let round = 0; round < 10; round++) {
        const label = uniqueLabel();
        const command = sh("echo one; echo two; echo three >&2; exit 4");
        const events = await lastValueFrom(
          execBg(context.flux, command, { label, nodeid: 1 }).pipe(toArray()),
        );
        const text = (stream: string) =>
          events.map((e) => (e.type === "output" && e.stream === stream ? utf8(e.data) : "")).join("");
        expect([text("stdout"), text("stderr")]).toEqual(["one\ntwo\n", "three\n"]);
        expect(events[0]).toMatchObject({ type: "attached", rank: 1, cmd: { cmdline: command, label } });
        expect(events).toContainEqual({ type: "finished", rank: 1, outcome: { kind: "exited", code: 4 } });
        expect(events.filter(({ type }) => type === "stopped")).toEqual([]);
        expect(await states(context.flux, label)).toEqual([]);
      }
    });

    it("runs on when its session ends, and can be attached to and waited for", async () => {
      const flux = context.connect();
      const label = uniqueLabel();
      await running(flux, label, "echo begun; while :; do sleep 0.1; echo tick; done");
      flux.close();
      expect(await states(context.flux, label)).toEqual(["R"]);
      const process = { label, nodeid: 1 };
      // The server may see the end of the session's attach later.
      await eventually(() => firstValueFrom(attach(context.flux, process)));
      await kill(context.flux, process).get();
      const outcome = await eventually(() => wait(context.flux, process).getOutcome());
      expect(outcome).toEqual({ kind: "signaled", signal: 15 });
      expect(await states(context.flux, label)).toEqual([]);
    });

    it("runs on when the grace of its session has passed", async () => {
      const { proxy, token } = await context.proxyWith({ graceMs: 300 });
      const wire = await cutter(proxy.url);
      const flux = connect(wire.url, { token });
      const label = uniqueLabel();
      const { error } = await running(flux, label, "echo begun; sleep 60");
      wire.cut();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      wire.mend();
      expect(await error).toMatchObject({ code: "ECONNRESET" });
      expect(await states(context.flux, label)).toEqual(["R"]);
      await kill(context.flux, { label, nodeid: 1, signum: 9 }).get();
      expect(await wait(context.flux, { label, nodeid: 1 }).getOutcome()).toMatchObject({ signal: 9 });
      flux.close();
      await wire.close();
      await proxy.close();
    });

    it("runs on when it is unsubscribed from", async () => {
      const label = uniqueLabel();
      const first = await firstValueFrom(
        execBg(context.flux, ["sleep", "60"], { label, nodeid: 1, waitable: false }),
      );
      expect(first).toMatchObject({ type: "attached", cmd: { cmdline: ["sleep", "60"] } });
      await until(async () => (await states(context.flux, label)).join() === "R", "it runs");
      const pid = first.type === "attached" ? first.pid : 0;
      await kill(context.flux, { label, nodeid: 1 }).get();
      // A process that had stayed stopped would not end by SIGTERM.
      await untilGone(context.flux, pid, 1);
    });

    it("is ended if it is unsubscribed from before it has started", async () => {
      const label = uniqueLabel();
      execBg(context.flux, ["sleep", "60"], { label, nodeid: 1 }).subscribe().unsubscribe();
      await list(context.flux, { nodeid: 1 }).get();
      await until(async () => (await states(context.flux, label)).length === 0, "it is gone");
    });

    it("reports a stop that is not its own", async () => {
      const label = uniqueLabel();
      const { events } = await running(context.flux, label, "echo begun; sleep 60");
      await kill(context.flux, { label, nodeid: 1, signum: "SIGSTOP" }).get();
      await until(() => events.at(-1)?.type === "stopped", "it is reported");
      await kill(context.flux, { label, nodeid: 1, signum: "SIGKILL" }).get();
      await until(() => events.some(({ type }) => type === "finished"), "its end");
    });

    it("exits with the shell's code if the program cannot be run, with the reason on stderr", async () => {
      const events = await lastValueFrom(
        execBg(context.flux, ["no-such-program"], { nodeid: 1 }).pipe(toArray()),
      );
      expect(events).toContainEqual({ type: "finished", rank: 1, outcome: { kind: "exited", code: 127 } });
      const reason = events.map((e) => (e.type === "output" && e.stream === "stderr" ? utf8(e.data) : ""));
      expect(reason.join("")).toMatch(/no-such-program: .*not found/);
    });

    it("errors as the start does", async () => {
      const label = uniqueLabel();
      await running(context.flux, label, "echo begun; sleep 60");
      const second = execBg(context.flux, ["true"], { label, nodeid: 1 });
      expect(await failure(lastValueFrom(second))).toMatchObject({ code: "EINVAL" });
      await kill(context.flux, { label, nodeid: 1, signum: 9 }).get();
    });
  });
}

/** The first result of `attempt` that is no error. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const results: T[] = [];
  const keep = (result: T) => results.push(result) > 0;
  await until(() => attempt().then(keep, () => false), String(attempt));
  return results[0] as T;
}

/** A way to a proxy that can be cut. */
async function cutter(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((near) => {
    const far = connectTcp(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => [near, far].map((end) => end.destroy()));
    }
    if (!open) near.destroy();
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = () => {
    open = false;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: `ws://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`,
    cut,
    mend: () => {
      open = true;
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
