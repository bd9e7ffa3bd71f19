/** A transfer through `cat` and back, over a connection that is cut again and again, and its result. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { firstValueFrom, map } from "rxjs";
import { connect, type Flux, list, spawn } from "../../src/index.js";
import { Observed } from "../support/observed.js";
import { uniqueLabel, until } from "../support/process.js";
import { type Injector, startInjector } from "./injector.js";
import { type Account, Ledger, LINE, lines } from "./lines.js";
import type { Plan } from "./plan.js";
import { Random } from "./random.js";

export interface TransferOptions {
  /** The proxy's. */
  url: string;
  token: string;
  seed: number;
  /** Bytes each way. */
  bytes: number;
  cutting: Plan;
}

export interface Transfer {
  cuts: number;
  /** The number of resumes. */
  resumes: number;
  /** SHA-256 of the bytes that were sent. */
  sent: string;
  account: Account;
  /** All processes, each as "PID since TICKS": a reused pid has another start time. */
  processes: readonly string[];
  /** The most processes at one time. */
  most: number;
  /** The outcome of `cat`, or the reason that it is unknown. */
  ended: string;
  /** True if the client reported success although not every byte came back once and in order. */
  falseSuccess: boolean;
  seconds: number;
}

const BLOCK = 512;

export async function transfer({ url, token, seed, bytes, cutting }: TransferOptions): Promise<Transfer> {
  const count = Math.ceil(bytes / LINE);
  const injector = await startInjector({
    target: url,
    seed,
    schedule: (connection, random) => cutting.schedule(connection, random, count * LINE - ledger.received),
    happened: (fault) => {
      if (cutting.happened(fault)) void networkChanged(flux, injector);
    },
  });
  const random = new Random(seed);
  const flux = connect(injector.url(url), { token, retry: { delay: () => random.integer(0, 20) } });
  const control = connect(url, { token });
  const label = uniqueLabel();
  const ledger = new Ledger(seed, count);
  const sent = createHash("sha256");
  const began = performance.now();

  const cat = spawn(flux, ["cat"], { label });
  const census = watch(control, label);
  const writing = (async () => {
    const writer = cat.stdin.getWriter();
    // The observer must see the process at least once.
    await cat.pid;
    await census.look();
    for (let first = 0; first < count; first += BLOCK) {
      const block = lines(seed, first, Math.min(BLOCK, count - first));
      sent.update(block);
      await writer.write(block);
    }
    await writer.close();
  })();
  const reading = (async () => {
    for await (const chunk of cat.stdout) ledger.take(chunk);
  })();
  const [status] = await Promise.allSettled([cat.status, reading, writing]);
  const seconds = (performance.now() - began) / 1000;
  const { processes, most } = await census.end();
  const resumes = injector.accepted - 1;
  flux.close();
  const left = async () => (await list(control).getProcesses()).some((process) => process.label === label);
  // The proxy may keep a lost session until its grace is over.
  if (status.status === "fulfilled") await until(async () => !(await left()), "no process is left");
  control.close();
  await injector.close();

  const account = ledger.account();
  const digest = sent.digest("hex");
  return {
    cuts: cutting.cuts,
    resumes,
    sent: digest,
    account,
    processes,
    most,
    ended: status.status === "fulfilled" ? `exit ${status.value.code}` : String(status.reason),
    falseSuccess: status.status === "fulfilled" && status.value.success && account.sha256 !== digest,
    seconds,
  };
}

/** Reconnects, as a page does when it hears that the network has changed. */
async function networkChanged(flux: Flux, injector: Injector): Promise<void> {
  const before = injector.accepted;
  for (let open = true, done = false; open && !(done && injector.accepted > before); ) {
    done = await flux.reconnect().then(
      () => true,
      () => false,
    );
    open = await firstValueFrom(flux.status$.pipe(map(({ state }) => state !== "closed")));
  }
}

interface Census {
  look(): Promise<void>;
  end(): Promise<{ processes: string[]; most: number }>;
}

/** Observes the processes with a label again and again, in the broker's list and in /proc. */
function watch(control: Flux, label: string): Census {
  const identities = new Set<string>();
  let most = 0;
  let over = false;
  const look = async () => {
    const found = (await list(control).getProcesses()).filter((process) => process.label === label);
    most = Math.max(most, found.length);
    for (const { pid } of found) {
      const one = identity(pid);
      if (one !== undefined) identities.add(one);
    }
  };
  const watching = (async () => {
    for (; !over; await sleep(100)) await look();
  })();
  return {
    look,
    async end() {
      over = true;
      await watching;
      return { processes: [...identities], most };
    },
  };
}

/** Undefined if the process has ended. */
function identity(pid: number): string | undefined {
  try {
    return `${pid} since ${new Observed(pid).since}`;
  } catch {
    return undefined;
  }
}
