/** The cost of watchers of many ranks to the broker. */
import { type Cost, cost } from "../watch/cost.js";
import { printTable, printTarget } from "./table.js";

export interface WatchBenchOptions {
  ranks: number;
  watchers: number;
  sessions: number;
  seconds: number;
}

const INTERVAL = 1000;

export async function watchBench({ ranks, watchers, sessions, seconds }: WatchBenchOptions): Promise<void> {
  const each = { ranks, interval: INTERVAL, ms: seconds * 1000 };
  const one = await cost({ ...each, watchers: 1, sessions: 1 });
  const many = await cost({ ...each, watchers, sessions });
  const row = (count: number, over: number, { requests, connections }: Cost) => ({
    watchers: count,
    sessions: over,
    "rexec.list requests": requests,
    "each rank and second": (requests / ranks / seconds).toFixed(2),
    "connections to the broker": connections,
  });
  console.log(`${ranks} ranks for ${seconds} s without changes, interval ${INTERVAL} ms`);
  printTable([row(1, 1, one), row(watchers, sessions, many)]);
  const ratio = many.requests / one.requests;
  printTarget("many / one, requests", ratio.toFixed(3), "<= 1.05", ratio <= 1.05);
}
