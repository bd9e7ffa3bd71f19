/** The cost of an unread stream to the other streams of its session. */
import { lastValueFrom, map, reduce } from "rxjs";
import { connect, exec, type Flux, spawn, stdout } from "../../src/index.js";
import { Observed } from "../support/observed.js";
import { until } from "../support/process.js";
import { startServers } from "../support/servers.js";
import { median, printTable, printTarget } from "./table.js";

export interface NeighboursOptions {
  uri?: string | undefined;
  others: number;
  rounds: number;
}

/** `seq` up to this number writes 1.3 MB. */
const LAST = 200_000;
const BYTES = 1_288_895;

export async function neighbours({ uri, others, rounds }: NeighboursOptions): Promise<void> {
  const servers = await startServers({ uri });
  const flux = connect(servers.url, { token: servers.token });
  await throughput(flux, others);
  const rates = { without: [] as number[], with: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    rates.without.push(await throughput(flux, others));
    const child = spawn(flux, ["seq", "999999999"]);
    const pid = await child.pid;
    const reader = child.stdout.getReader();
    await reader.read();
    await until(() => new Observed(pid).state === "T", "the one that is not read is stopped");
    rates.with.push(await throughput(flux, others));
    await child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  }
  flux.close();
  await servers.close();

  console.log(`${others} streams of ${BYTES} bytes on one session, ${rounds} runs each, medians`);
  printTable(
    (["without", "with"] as const).map((name) => ({
      "one that is not read": name,
      "MB/s of the others": median(rates[name]).toFixed(1),
      all: rates[name].map((rate) => rate.toFixed(1)).join(" "),
    })),
  );
  const ratio = median(rates.with.map((rate, i) => rate / (rates.without[i] ?? 0)));
  printTarget("with / without, median of pairs", ratio.toFixed(3), ">= 0.9", ratio >= 0.9);
}

/** The throughput of several streams at the same time, in MB/s. */
async function throughput(flux: Flux, others: number): Promise<number> {
  const began = performance.now();
  const length = (source: ReturnType<typeof exec>) =>
    source.pipe(
      stdout(),
      map((chunk) => chunk.length),
      reduce((sum, size) => sum + size, 0),
    );
  const running = Array.from({ length: others }, () =>
    lastValueFrom(length(exec(flux, ["seq", String(LAST)]))),
  );
  for (const bytes of await Promise.all(running)) {
    if (bytes !== BYTES) throw new Error(`${bytes} bytes arrived of ${BYTES}`);
  }
  return (others * BYTES) / (performance.now() - began) / 1000;
}
