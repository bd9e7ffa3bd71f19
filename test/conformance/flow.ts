import { firstValueFrom, lastValueFrom, tap, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import {
  attach,
  type ChildProcess,
  consume,
  exec,
  kill,
  list,
  type ProcessEvent,
  rexecBg,
  signalNumber,
  spawn,
} from "../../src/index.js";
import { Observed } from "../support/observed.js";
import { failure, sh, uniqueLabel, until } from "../support/process.js";
import type { Context } from "./suite.js";

/** More than client and proxy hold together, and less than all day. */
const LAST = 10_000_000;

/** The length of what `seq` writes. */
const lengthOf = (last: number) => {
  let bytes = 0;
  for (let first = 1, digits = 1; first <= last; first *= 10, digits++)
    bytes += (Math.min(last, first * 10 - 1) - first + 1) * (digits + 1);
  return bytes;
};

/** The processes are on this machine, as the broker is. */
const isStopped = (pid: number) => until(() => new Observed(pid).state === "T", `process ${pid} is stopped`);

export function flowCases(context: Context): void {
  describe("flow control", () => {
    /** A process that writes, of whose output a little is read and then no more. */
    const stalled = async (command: readonly string[], nodeid: number) => {
      const child = spawn(context.flux, command, { nodeid });
      const reader = child.stdout.getReader();
      await reader.read();
      const pid = await child.pid;
      await isStopped(pid);
      return { child, reader, pid };
    };

    const drain = async (reader: Awaited<ReturnType<typeof stalled>>["reader"]) => {
      let bytes = 0;
      for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.length;
      return bytes;
    };

    const ended = async (child: ChildProcess) => {
      const { code, signal } = await child.status;
      return { code, signal };
    };

    it.each([0, 1])(
      "stops a process on rank %i whose output is not read, and loses nothing of it",
      async (rank) => {
        const child = spawn(context.flux, ["seq", String(LAST)], { nodeid: rank });
        await isStopped(await child.pid);
        expect(await drain(child.stdout.getReader())).toBe(lengthOf(LAST));
        expect(await ended(child)).toEqual({ code: 0, signal: null });
      },
    );

    it("serves others meanwhile", async () => {
      const { child, reader } = await stalled(["yes"], 1);
      const others = Array.from({ length: 10 }, (_, n) =>
        lastValueFrom(exec(context.flux, ["seq", "10000"], { nodeid: n % 2 }).pipe(toArray())),
      );
      for (const events of await Promise.all(others)) {
        const bytes = events.reduce(
          (sum, event) => sum + (event.type === "output" ? event.data.length : 0),
          0,
        );
        expect(bytes).toBe(lengthOf(10_000));
      }
      await child.kill("SIGTERM");
      await drain(reader);
      expect(await ended(child)).toEqual({ code: 143, signal: "SIGTERM" });
    });

    it("leaves a process stopped that its user has stopped", async () => {
      const { child, reader, pid } = await stalled(["yes"], 1);
      await kill(context.flux, { pid, signum: signalNumber("SIGSTOP"), nodeid: 1 }).get();
      // The output before the stop comes, and then nothing.
      let more = true;
      while (more) {
        const quiet = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500));
        more = await Promise.race([reader.read().then(() => true), quiet]);
      }
      expect(new Observed(pid).state).toBe("T");
      await kill(context.flux, { pid, signum: signalNumber("SIGCONT"), nodeid: 1 }).get();
      await reader.read();
      await child.kill("SIGKILL");
      await drain(reader);
      expect(await ended(child)).toEqual({ code: 137, signal: "SIGKILL" });
    });

    it("reports gaps to an attach that does not keep up", async () => {
      // Long lines, since flux-core 0.88 crashes where a process in background that is attached to writes in chunks.
      const lines = 300;
      const length = 60_000;
      const label = uniqueLabel();
      const write = `yes "$(printf %0${length}d 0)" | head -n ${lines}`;
      const script = `while [ ! -e /tmp/${label} ]; do sleep 0.05; done; rm /tmp/${label}; ${write}`;
      await rexecBg(context.flux, sh(script), { label, nodeid: 1 }).get();
      const events: ProcessEvent[] = [];
      const over = async () =>
        !(await list(context.flux, { nodeid: 1 }).getProcesses()).some((process) => process.label === label);
      // All is written before more than the first of it is consumed.
      let written: Promise<void> | undefined;
      const take = async (event: ProcessEvent) => {
        if (event.type !== "output") return;
        written ??= until(over, "it has written all");
        await written;
      };
      await lastValueFrom(
        attach(context.flux, { label, nodeid: 1 }).pipe(
          tap((event) => {
            events.push(event);
            if (event.type === "attached")
              exec(context.flux, ["touch", `/tmp/${label}`], { nodeid: 1 }).subscribe();
          }),
          consume(take),
        ),
      );
      const bytes = (type: "output" | "gap") =>
        events.reduce(
          (sum, event) =>
            sum + (event.type !== type ? 0 : event.type === "gap" ? event.bytes : event.data.length),
          0,
        );
      expect(bytes("gap")).toBeGreaterThan(0);
      expect(bytes("output") + bytes("gap")).toBe(lines * (length + 1));
    });

    it("ends a process that exceeds the window, with the overflow kill", async () => {
      const child = spawn(context.flux, ["yes"], { nodeid: 1, overflow: "kill" });
      const reader = child.stdout.getReader();
      await reader.read();
      const pid = await child.pid;
      await until(() => !isThere(pid), "it is gone");
      expect(await failure(drain(reader))).toMatchObject({ code: "ENOBUFS", rank: 1 });
      expect(await ended(child)).toEqual({ code: 137, signal: "SIGKILL" });
    });
  });

  describe("resuming", () => {
    it("continues on another connection without loss", async () => {
      const flux = context.connect();
      const completion = lastValueFrom(
        exec(flux, sh(`seq ${LAST / 20}; exit 3`), { nodeid: 1 }).pipe(toArray()),
      );
      await firstValueFrom(exec(flux, ["true"]));
      for (let round = 0; round < 5; round++) await flux.reconnect();
      const events = await completion;
      expect(events.filter(({ type }) => type === "started")).toHaveLength(1);
      expect(events).toContainEqual({ type: "finished", rank: 1, outcome: { kind: "exited", code: 3 } });
      const bytes = events.reduce((sum, event) => sum + (event.type === "output" ? event.data.length : 0), 0);
      expect(bytes).toBe(lengthOf(LAST / 20));
    });
  });
}

function isThere(pid: number): boolean {
  try {
    return new Observed(pid).state !== "Z";
  } catch {
    return false;
  }
}
