/** The cost of a client that stops reading: the memory of proxy and broker. */
import { spawn as spawnHere } from "node:child_process";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Flux, spawn } from "../../src/index.js";
import { Observed } from "../support/observed.js";
import { startServers } from "../support/servers.js";
import { mib, printTable, printTarget } from "./table.js";

export interface StalledOptions {
  uri?: string | undefined;
  /** The pid of the broker. @default the embedded broker's */
  brokerPid?: number | undefined;
  /** The time without reading, in seconds. */
  seconds: number;
}

/** `seq` up to this number writes 1 GiB. */
const LAST = 118_485_292;
const BEFORE = 64 * 2 ** 20;

export async function stalled({ uri, brokerPid, seconds }: StalledOptions): Promise<void> {
  const servers = await startServers({ uri });
  const { url, token, proxy } = servers;
  const broker = brokerPid === undefined ? servers.broker : new Observed(brokerPid);
  if (!broker) throw new TypeError("--uri needs --broker-pid");
  const expected = await digest(LAST);
  const flux = connect(url, { token });
  await drain(flux, LAST / 4);

  const child = spawn(flux, ["seq", String(LAST)]);
  const reader = child.stdout.getReader();
  const hash = createHash("sha256");
  let bytes = 0;
  const read = async (until: number) => {
    while (bytes < until) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.length;
      hash.update(value);
    }
  };
  await read(BEFORE);
  const before = { proxy: proxy.rss, broker: broker.rss };
  const most = { ...before };
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(20)) {
    most.proxy = Math.max(most.proxy, proxy.rss);
    most.broker = Math.max(most.broker, broker.rss);
  }
  await read(Number.POSITIVE_INFINITY);
  const status = await child.status;
  flux.close();

  console.log(`seq ${LAST}, not read for ${seconds} s after ${mib(BEFORE)}; RSS`);
  const limits = { proxy: 8 * 2 ** 20, broker: 16 * 2 ** 20 };
  const names = ["proxy", "broker"] as const;
  printTable(
    names.map((name) => ({
      process: `${name} (${{ proxy, broker }[name].pid})`,
      "when it stalls": mib(before[name]),
      "most while it does": mib(most[name]),
      growth: mib(most[name] - before[name]),
    })),
  );
  for (const name of names) {
    const growth = most[name] - before[name];
    printTarget(`growth of the ${name}`, mib(growth), `<= ${mib(limits[name])}`, growth <= limits[name]);
  }
  const same = hash.digest("hex") === expected;
  console.log(`then the rest: ${bytes} bytes, exit ${status.code}, SHA-256 ${same ? "equal" : "NOT EQUAL"}`);
  await servers.close();
}

async function drain(flux: Flux, last: number): Promise<void> {
  const child = spawn(flux, ["seq", String(last)]);
  for await (const _ of child.stdout);
  await child.status;
}

/** SHA-256 of the output of `seq` on this machine. */
async function digest(last: number): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of spawnHere("seq", [String(last)], { stdio: ["ignore", "pipe", "inherit"] }).stdout)
    hash.update(chunk);
  return hash.digest("hex");
}
