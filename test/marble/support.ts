import type { Subscription } from "rxjs";
import { TestScheduler } from "rxjs/testing";
import { expect, vi } from "vitest";
import type { ProcessEvent } from "../../src/index.js";
import { bytes } from "../support/peer.js";

type Run = Parameters<TestScheduler["run"]>[0];

/** Runs a marble test in virtual time, RxJS's timers and the runtime's alike. */
export function marbles(test: Run): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const clear = (timer?: Subscription) => timer?.unsubscribe();
  const clocks = [Date, performance].map((clock) =>
    vi.spyOn(clock, "now").mockImplementation(() => scheduler.now()),
  );
  Object.assign(globalThis, {
    setTimeout: (action: () => void, ms?: number) => scheduler.schedule(action, ms),
    clearTimeout: clear,
    setInterval: (action: () => void, ms?: number) =>
      scheduler.schedule(function () {
        action();
        this.schedule(undefined, ms);
      }, ms),
    clearInterval: clear,
  });
  try {
    scheduler.run(test);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
    for (const clock of clocks) clock.mockRestore();
  }
}

/** Process events, by their letters in the diagrams. */
export const EVENTS = {
  s: { type: "started", rank: 0, pid: 7, matchtag: 1 },
  S: { type: "started", rank: 1, pid: 8, matchtag: 1 },
  a: { type: "output", rank: 0, stream: "stdout", data: bytes("a") },
  b: { type: "output", rank: 0, stream: "stderr", data: bytes("b") },
  c: { type: "output", rank: 0, stream: "C", data: bytes("c") },
  A: { type: "output", rank: 1, stream: "stdout", data: bytes("A") },
  e: { type: "eof", rank: 0, stream: "stdout" },
  t: { type: "stopped", rank: 0 },
  f: { type: "finished", rank: 0, outcome: { kind: "exited", code: 0 } },
  F: { type: "finished", rank: 1, outcome: { kind: "exited", code: 3 } },
  k: { type: "finished", rank: 0, outcome: { kind: "signaled", signal: 9 } },
} as const satisfies Record<string, ProcessEvent>;
