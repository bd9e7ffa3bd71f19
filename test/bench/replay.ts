/** The cost of resumable sessions: the throughput of output with them, and with `retry: false`. */
import { connect, exec } from "../../src/index.js";
import { startInjector } from "../chaos/injector.js";
import { type Servers, startServers } from "../support/servers.js";
import { median, printTable, printTarget } from "./table.js";

export interface ReplayOptions {
  uri?: string | undefined;
  /** Megabytes in each run. */
  mb: number;
  /** Runs of each case. */
  rounds: number;
}

type Variant = "resume" | "retry: false";

interface Run {
  /** MB/s. */
  rate: number;
  /** Processor time of the proxy, in milliseconds. */
  cpu: number;
}

export async function replay({ uri, mb, rounds }: ReplayOptions): Promise<void> {
  const servers = await startServers({ uri });
  const runs: Record<Variant, Run[]> = { resume: [], "retry: false": [] };
  const variants: Variant[] = ["resume", "retry: false"];
  for (const variant of variants) await run(servers, variant, mb);
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that the first has no advantage.
    for (const variant of round % 2 === 0 ? variants : [...variants].reverse())
      runs[variant].push(await run(servers, variant, mb));
  }
  console.log(
    `output of exec, ${mb} MB a run, ${rounds} runs each, medians; cpu: the proxy's, of process time`,
  );
  printTable(
    variants.map((variant) => ({
      variant,
      "MB/s": rate(runs[variant]).toFixed(1),
      "cpu ms/100 MB": ((cpu(runs[variant]) * 100) / mb).toFixed(0),
      "all MB/s": runs[variant].map((one) => one.rate.toFixed(0)).join(" "),
    })),
  );
  // Compares runs that followed each other, since the machine's load changes.
  const ratio = median(runs.resume.map((one, i) => one.rate / (runs["retry: false"][i]?.rate ?? 0)));
  printTarget(
    "throughput with resume / without, median of pairs",
    ratio.toFixed(3),
    ">= 0.95",
    ratio >= 0.95,
  );
  const { up, down } = await wire(servers, mb);
  const share = (100 * up) / down;
  console.log(`on the wire: ${down} bytes down, ${up} bytes up (acks, consumed), frames and all`);
  printTarget("up / down", `${share.toFixed(3)} %`, "<= 1 %", share <= 1);
  await servers.close();
}

const rate = (runs: readonly Run[]) => median(runs.map((one) => one.rate));
const cpu = (runs: readonly Run[]) => median(runs.map((one) => one.cpu));

/** Text, like most output. */
const command = (mb: number) => ["sh", "-c", `yes 'a line as processes write them' | head -c ${mb * 1e6}`];

async function run({ url, token, proxy }: Servers, variant: Variant, mb: number): Promise<Run> {
  const flux = connect(url, { token, ...(variant === "resume" ? {} : { retry: false }) });
  const before = proxy.cpu;
  const seconds = await receive(flux, mb);
  flux.close();
  return { rate: mb / seconds, cpu: proxy.cpu - before };
}

/** @returns seconds from the start of the process to its end */
function receive(flux: ReturnType<typeof connect>, mb: number, started = () => {}): Promise<number> {
  let began = 0;
  let bytes = 0;
  return new Promise((resolve, reject) => {
    exec(flux, command(mb)).subscribe({
      next(event) {
        if (event.type === "started") {
          began = performance.now();
          started();
        } else if (event.type === "output") bytes += event.data.length;
      },
      error: reject,
      complete() {
        if (bytes === mb * 1e6) resolve((performance.now() - began) / 1000);
        else reject(new Error(`${bytes} bytes arrived of ${mb * 1e6}`));
      },
    });
  });
}

/** The bytes each way from the process's start to its end. */
async function wire({ url, token }: Servers, mb: number): Promise<{ up: number; down: number }> {
  const injector = await startInjector({ target: url, seed: 1 });
  const planned = injector.next({});
  const flux = connect(injector.url(url), { token });
  const link = await planned;
  let before = link.forwarded;
  await receive(flux, mb, () => {
    before = link.forwarded;
  });
  const after = link.forwarded;
  flux.close();
  await injector.close();
  return { up: after.up - before.up, down: after.down - before.down };
}
