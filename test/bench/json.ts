/** The cost of integers of any size in messages: the codec beside JSON.parse and JSON.stringify, on the same texts. */
import { parseJson, stringifyJson } from "../../src/protocol/json.js";
import { median, printTable } from "./table.js";

/** Characters that each measurement reads or writes. */
const CHARACTERS = 20_000_000;

const response = (payload: object) => ({ type: "response", seq: 4711, id: 12, rank: 3, payload });

const MESSAGES: Record<string, object> = {
  "started, 90 characters": response({ type: "started", pid: 4711 }),
  "list of 100 processes": response({
    rank: 3,
    procs: Array.from({ length: 100 }, (_, i) => ({
      pid: 1000 + i,
      cmd: "sleep",
      label: `nap-${i}`,
      state: "R",
    })),
  }),
  "64 KiB of text": response({ io: { stream: "stdout", data: "the quick brown fox\n".repeat(3277) } }),
  "64 KiB of digits in a string": response({ io: { stream: "stdout", data: "1234567890".repeat(6554) } }),
  "job list of 100 ids": response({
    jobs: Array.from({ length: 100 }, (_, i) => ({ id: 2n ** 60n + BigInt(i), name: "sleep", state: 16 })),
  }),
};

/** Nanoseconds for each run, medians of `rounds`; the two take turns, so that neither has a quieter machine. */
function measure(runs: readonly (() => unknown)[], characters: number, rounds: number): number[] {
  const times = Math.ceil(CHARACTERS / characters);
  const round = (run: () => unknown) => {
    const began = performance.now();
    for (let i = 0; i < times; i++) run();
    return ((performance.now() - began) * 1e6) / times;
  };
  for (const run of runs) round(run);
  const all = Array.from({ length: rounds }, () => runs.map(round));
  return runs.map((_, i) => median(all.map((each) => each[i] as number)));
}

export function jsonBench({ rounds }: { rounds: number }): void {
  const rows = Object.entries(MESSAGES).flatMap(([message, value]) => {
    const text = stringifyJson(value);
    const plain = JSON.parse(text) as object;
    const cost = (of: string, native: () => unknown, codec: () => unknown) => {
      const [before, after] = measure([native, codec], text.length, rounds) as [number, number];
      return {
        message,
        of,
        "JSON ns": before.toFixed(0),
        "codec ns": after.toFixed(0),
        ratio: (after / before).toFixed(2),
      };
    };
    return [
      cost(
        "parse",
        () => JSON.parse(text),
        () => parseJson(text),
      ),
      cost(
        "stringify",
        () => JSON.stringify(plain),
        () => stringifyJson(value),
      ),
    ];
  });
  console.log(`medians of ${rounds} rounds; JSON loses the ids of the job list`);
  printTable(rows);
}
