/** Many clients that lose their connections at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ChildProcess, connect, type Flux, list, spawn } from "../../src/index.js";
import { uniqueLabel, utf8 } from "../support/process.js";
import { startInjector } from "./injector.js";

export interface StormOptions {
  /** The proxy's. */
  url: string;
  token: string;
  clients: number;
}

export interface Storm {
  clients: number;
  /** Clients whose process answered on the session that was lost and resumed. */
  resumed: number;
  /** Clients whose process was still the one that they had started. */
  samePid: number;
  /** Clients whose process exited with 0 when its input ended. */
  exited: number;
  /** The errors of the other clients. */
  errors: readonly string[];
  /** Milliseconds from the storm to the answer of half of the clients, and of the last. */
  median: number;
  last: number;
}

/** The number of clients that start at a time. */
const BATCH = 50;

interface Client {
  flux: Flux;
  cat: ChildProcess;
  pid: number;
  /** Sends a line and waits for it to come back. */
  echo(line: string): Promise<void>;
  /** Ends the input and waits for the exit code. */
  end(): Promise<number>;
}

export async function storm({ url, token, clients: count }: StormOptions): Promise<Storm> {
  const injector = await startInjector({ target: url, seed: 1 });
  const control = connect(url, { token });
  const label = uniqueLabel();
  const clients: Client[] = [];
  for (let n = 0; n < count; n += BATCH) {
    const size = Math.min(BATCH, count - n);
    const batch = Array.from({ length: size }, (_, i) =>
      start(injector.url(url), token, `${label}-${n + i}`),
    );
    clients.push(...(await Promise.all(batch)));
  }
  const before = await pids(control, label);

  const began = performance.now();
  injector.resetAll();
  const times: number[] = [];
  const errors: string[] = [];
  const failed = (error: unknown) => void errors.push(String(error));
  await Promise.all(
    clients.map((client) =>
      client.echo("after").then(() => void times.push(performance.now() - began), failed),
    ),
  );
  const after = await pids(control, label);
  const codes = await Promise.all(clients.map((client) => client.end().catch(failed)));
  while ((await pids(control, label)).size > 0) await sleep(50);
  for (const { flux } of clients) flux.close();
  control.close();
  await injector.close();
  return {
    clients: count,
    resumed: times.length,
    samePid: clients.filter(({ pid }) => before.has(pid) && after.has(pid)).length,
    exited: codes.filter((code) => code === 0).length,
    errors,
    median: times[times.length >> 1] ?? Number.NaN,
    last: times.at(-1) ?? Number.NaN,
  };
}

async function start(url: string, token: string, label: string): Promise<Client> {
  const flux = connect(url, { token });
  const cat = spawn(flux, ["cat"], { label });
  const writer = cat.stdin.getWriter();
  const reader = cat.stdout.getReader();
  const client: Client = {
    flux,
    cat,
    pid: await cat.pid,
    async echo(line) {
      await writer.write(line);
      for (let heard = ""; heard !== line; ) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the output ended after ${JSON.stringify(heard)}`);
        heard += utf8(value);
        if (!line.startsWith(heard)) throw new Error(`${JSON.stringify(line)} came back as ${heard}`);
      }
    },
    async end() {
      await writer.close();
      while (!(await reader.read()).done);
      return (await cat.status).code;
    },
  };
  await client.echo("before");
  return client;
}

async function pids(control: Flux, label: string): Promise<Set<number>> {
  const found = (await list(control).getProcesses()).filter((process) => process.label.startsWith(label));
  return new Set(found.map(({ pid }) => pid));
}
