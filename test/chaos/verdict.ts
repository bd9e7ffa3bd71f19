/** What an `exec` told, held against what its processes really did. Anything that is not the truth throws. */
import type { Observable } from "rxjs";
import { expect } from "vitest";
import { FluxError, type FluxErrorCode, type Outcome, type ProcessEvent } from "../../src/index.js";

/** What the process of one rank does, if nobody disturbs it. */
export interface Truth {
  outcome: Outcome;
  /** Its output streams, all of them. */
  streams: Readonly<Record<string, Uint8Array>>;
}

/** How a session that the network ended may be told. */
const LOST: readonly FluxErrorCode[] = ["ECONNRESET", "ECONNREFUSED"];

/** The error of a lost session; any other throws. */
export function lost(error: unknown): FluxError {
  if (!(error instanceof FluxError) || !LOST.includes(error.code)) throw error;
  return error;
}

/** Runs to the end, and judges. @returns the error of the lost session, undefined if all went well */
export async function judged(
  running: Observable<ProcessEvent>,
  truths: ReadonlyMap<number, Truth>,
): Promise<FluxError | undefined> {
  const told: ProcessEvent[] = [];
  const error = await new Promise<FluxError | undefined>((resolve, reject) => {
    running.subscribe({
      next: (event) => told.push(event),
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
  for (const event of told) expect([...truths.keys()]).toContain(event.rank);
  for (const [rank, truth] of truths) {
    const own = told.filter((event) => event.rank === rank);
    judgeRank(own, truth, error === undefined);
  }
  return error;
}

function judgeRank(told: readonly ProcessEvent[], truth: Truth, complete: boolean): void {
  const got = new Map(Object.keys(truth.streams).map((name) => [name, [] as Uint8Array[]]));
  const ended = new Set<string>();
  const count = { started: 0, finished: 0 };
  for (const event of told) {
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
        // The end of a stream says that all of it was there.
        expectSame(got.get(event.stream) ?? [], truth.streams[event.stream] ?? new Uint8Array());
        break;
      case "finished":
        count.finished++;
        if (event.outcome.kind === "unknown" && !complete) lost(event.outcome.cause);
        else expect(event.outcome).toEqual(truth.outcome);
        break;
      default:
        throw new Error(`nobody did that: ${event.type}`);
    }
  }
  expect(count.started, "started once").toBeLessThanOrEqual(1);
  expect(count.finished, "what has started is told to have ended, once").toBe(count.started);
  for (const [name, pieces] of got) expectPrefix(pieces, truth.streams[name] ?? new Uint8Array());
  if (!complete) return;
  expect(count.started).toBe(1);
  expect([...ended].sort()).toEqual([...got.keys()].sort());
}

/** Compared as Buffers: a difference of 300,000 numbers is nothing to read. */
export function expectSame(pieces: readonly Uint8Array[], whole: Uint8Array): void {
  expect(Buffer.concat(pieces).length, "length of the output").toBe(whole.length);
  expectPrefix(pieces, whole);
}

export function expectPrefix(pieces: readonly Uint8Array[], whole: Uint8Array): void {
  const got = Buffer.concat(pieces);
  expect(got.equals(whole.subarray(0, got.length)), "the output is a prefix of the truth").toBe(true);
}
