/** Compares an `exec`'s events with the real behaviour of its processes. Any difference throws. */
import type { Observable } from "rxjs";
import { expect } from "vitest";
import { FluxError, type FluxErrorCode, type Outcome, type ProcessEvent } from "../../src/index.js";

/** The behaviour of one rank's process without a fault. */
export interface Truth {
  outcome: Outcome;
  /** All of its output streams. */
  streams: Readonly<Record<string, Uint8Array>>;
}

/** The error codes of a session that the network ended. */
const LOST: readonly FluxErrorCode[] = ["ECONNRESET", "ECONNREFUSED"];

/** @returns the error, if it is a lost session's @throws any other error */
export function lost(error: unknown): FluxError {
  if (!(error instanceof FluxError) || !LOST.includes(error.code)) throw error;
  return error;
}

/** Runs to the end and checks the events. @returns the lost session's error; undefined if nothing failed */
export async function checkRun(
  running: Observable<ProcessEvent>,
  truths: ReadonlyMap<number, Truth>,
): Promise<FluxError | undefined> {
  const events: ProcessEvent[] = [];
  const error = await new Promise<FluxError | undefined>((resolve, reject) => {
    running.subscribe({
      next: (event) => events.push(event),
      error: (reason) => {
        try {
          resolve(lost(reason));
        } catch (other) {
          reject(other);
        }
      },
      complete: () => resolve(undefined),
    });
  });
  for (const event of events) expect([...truths.keys()]).toContain(event.rank);
  for (const [rank, truth] of truths) {
    const own = events.filter((event) => event.rank === rank);
    checkRank(own, truth, error === undefined);
  }
  return error;
}

function checkRank(events: readonly ProcessEvent[], truth: Truth, complete: boolean): void {
  const got = new Map(Object.keys(truth.streams).map((name) => [name, [] as Uint8Array[]]));
  const ended = new Set<string>();
  const count = { started: 0, finished: 0 };
  for (const event of events) {
    switch (event.type) {
      case "started":
        count.started++;
        break;
      case "output":
        expect(count.started, "output before started").toBe(1);
        expect(ended, "output after its end").not.toContain(event.stream);
        got.get(event.stream)?.push(event.data);
        expect([...got.keys()]).toContain(event.stream);
        break;
      case "eof":
        expect(ended, "a second end of output").not.toContain(event.stream);
        ended.add(event.stream);
        // The end of a stream means that it is complete.
        expectSame(got.get(event.stream) ?? [], truth.streams[event.stream] ?? new Uint8Array());
        break;
      case "finished":
        count.finished++;
        if (event.outcome.kind === "unknown" && !complete) lost(event.outcome.cause);
        else expect(event.outcome).toEqual(truth.outcome);
        break;
      default:
        throw new Error(`no cause for the event ${event.type}`);
    }
  }
  expect(count.started, "started once").toBeLessThanOrEqual(1);
  expect(count.finished, "each start has exactly one finish").toBe(count.started);
  for (const [name, pieces] of got) expectPrefix(pieces, truth.streams[name] ?? new Uint8Array());
  if (!complete) return;
  expect(count.started).toBe(1);
  expect([...ended].sort()).toEqual([...got.keys()].sort());
}

/** Compares Buffers: a report of 300,000 different numbers would be unreadable. */
export function expectSame(pieces: readonly Uint8Array[], whole: Uint8Array): void {
  expect(Buffer.concat(pieces).length, "length of the output").toBe(whole.length);
  expectPrefix(pieces, whole);
}

export function expectPrefix(pieces: readonly Uint8Array[], whole: Uint8Array): void {
  const got = Buffer.concat(pieces);
  expect(got.equals(whole.subarray(0, got.length)), "the output is a prefix of the truth").toBe(true);
}
