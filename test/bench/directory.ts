/** The cost of a checked `cwd`: env(1) starts the program. */
import { lastValueFrom } from "rxjs";
import { connect, type ExecOptions, exec, type Flux } from "../../src/index.js";
import { startServers } from "../support/servers.js";
import { median, printTable } from "./table.js";

const CASES: Readonly<Record<string, ExecOptions>> = {
  "no cwd": {},
  "cwd, not checked": { cwd: "/usr", checkCwd: false },
  "cwd, checked": { cwd: "/usr" },
};

export async function directory({
  uri,
  rounds,
  count,
}: {
  uri?: string | undefined;
  rounds: number;
  count: number;
}): Promise<void> {
  const servers = await startServers({ uri });
  const flux = connect(servers.url, { token: servers.token });
  const times = new Map(Object.keys(CASES).map((name) => [name, [] as number[]]));
  await perProcess(flux, {}, count);
  for (let round = 0; round < rounds; round++) {
    for (const [name, options] of Object.entries(CASES)) {
      times.get(name)?.push(await perProcess(flux, options, count));
    }
  }
  flux.close();
  await servers.close();

  console.log(`${count} processes "true", one after another, ${rounds} runs each, medians`);
  const plain = median(times.get("cwd, not checked") ?? []);
  printTable(
    [...times].map(([name, all]) => ({
      case: name,
      "ms each": median(all).toFixed(2),
      "ratio to not checked": (median(all) / plain).toFixed(3),
    })),
  );
}

async function perProcess(flux: Flux, options: ExecOptions, count: number): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < count; i++) await lastValueFrom(exec(flux, ["true"], options));
  return (performance.now() - began) / count;
}
