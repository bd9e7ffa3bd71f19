/** Drops sessions again and again, and checks that the proxy's memory and descriptors are then as before. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Server, startServers } from "../support/servers.js";
import { drop } from "./dropper.js";
import { mib, printTable, printTarget } from "./table.js";

export interface CyclesOptions {
  uri?: string | undefined;
  count: number;
  /** Sessions at a time. */
  concurrency: number;
}

const GRACE_MS = 100;

/** The part of the cycles before the measurement. */
const WARM_UP = 0.05;
/** The number of measurements. */
const SAMPLES = 200;

export async function cycles({ uri, count, concurrency }: CyclesOptions): Promise<void> {
  const servers = await startServers({
    uri,
    proxy: { graceMs: GRACE_MS, sessionsPerSubject: 100_000 },
  });
  const { url, token, proxy } = servers;
  const began = performance.now();
  const run = async (cycles: number) => {
    let left = cycles;
    const one = async () => {
      while (left-- > 0) await drop(url, token);
    };
    await Promise.all(Array.from({ length: concurrency }, one));
  };
  await run(Math.ceil(count * WARM_UP));
  const before = await resting(proxy);
  const rss: number[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    await run(Math.ceil((count * (1 - WARM_UP)) / SAMPLES));
    rss.push(proxy.rss);
  }
  const after = await resting(proxy);
  await servers.close();

  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${count} sessions, ${concurrency} at a time, each dropped with a process; ${seconds.toFixed(0)} s`,
  );
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  printTable(names.map((name) => ({ proxy: name, before: before[name] ?? 0, after: after[name] ?? 0 })));
  for (const name of names) {
    const [was, is] = [before[name] ?? 0, after[name] ?? 0];
    printTarget(name, String(is), `<= ${was}`, is <= was);
  }
  const quarter = SAMPLES / 4;
  const [first, last] = [mean(rss.slice(0, quarter)), mean(rss.slice(-quarter))];
  const ratio = last / first;
  console.log(`RSS of the proxy, mean of the first quarter ${mib(first)}, of the last ${mib(last)}`);
  printTarget("last / first", ratio.toFixed(3), "<= 1.05", ratio <= 1.05);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The idle proxy's open descriptors, and the resources that Node counts. */
async function resting(proxy: Server): Promise<Record<string, number>> {
  // Sessions and sockets end within the grace. The proxy's own keys and timers stay.
  for (let last = -1, still = 0; still < 10; await sleep(GRACE_MS)) {
    still = proxy.descriptors === last ? still + 1 : 0;
    last = proxy.descriptors;
  }
  const counts: Record<string, number> = { descriptors: proxy.descriptors };
  for (const name of await proxy.request<string[]>({ command: "resources" }))
    counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
