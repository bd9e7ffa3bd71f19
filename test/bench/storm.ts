/** Drops many clients at once, with the proxy in a process of its own, and measures the time until all are served again. */
import { type Storm, storm } from "../chaos/storm.js";
import { startServers } from "../support/servers.js";
import { mib, printTable, printTarget } from "./table.js";

export interface StormBenchOptions {
  uri?: string | undefined;
  clients: number;
}

export async function stormBench({ uri, clients }: StormBenchOptions): Promise<void> {
  const servers = await startServers({ uri, proxy: { sessionsPerSubject: clients + 1 } });
  const before = { rss: servers.proxy.rss, cpu: servers.proxy.cpu };
  const { errors, median, last, ...counts }: Storm = await storm({ ...servers, clients });
  console.log(`${clients} clients, each with a process, lose their connections at once`);
  printTable([
    {
      ...counts,
      "half answered after": `${median.toFixed(0)} ms`,
      "all after": `${last.toFixed(0)} ms`,
      "proxy RSS before, after": `${mib(before.rss)}, ${mib(servers.proxy.rss)}`,
      "proxy cpu": `${servers.proxy.cpu - before.cpu} ms`,
    },
  ]);
  for (const error of new Set(errors)) console.log(error);
  printTarget(
    "resumed, with the same process",
    String(counts.samePid),
    String(clients),
    counts.samePid === clients,
  );
  await servers.close();
}
