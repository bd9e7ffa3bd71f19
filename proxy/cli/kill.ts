/** `kill`: a signal to a process. */
import type { Command } from "commander";
import { type Flux, FluxError, kill, type PidOrLabel, wait } from "../../src/index.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { outcomeCode } from "./exit-code.js";
import { addJobOption, inJob } from "./job.js";
import { pidOrLabel, type Ranks, ranks, signal } from "./parse.js";
import { reportFailures } from "./rank-failures.js";
import { hostNamesFor, processRanks } from "./ranks.js";
import { waitOnRanks } from "./wait.js";

interface KillOptions extends ConnectionOptions {
  jobid?: string;
  rank?: Ranks;
  service: string;
  wait?: boolean;
}

/** Adds the command `kill`. @param end takes the exit code */
export function addKill(program: Command, end: (code: number) => void): void {
  const command = program
    .command("kill")
    .description("send a signal to a process and its process group")
    .argument("<signal>", "a number or a name: 15, TERM, SIGTERM", signal)
    .argument("<pid|label>", "the process: a pid, on one rank only, or a label", pidOrLabel)
    .option("-r, --rank <RANKS>", `its ranks or hosts, or "all" (default: the proxy's broker)`, ranks)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-w, --wait", "then wait for its end, and exit with its greatest exit code");
  addConnectionOptions(addJobOption(command)).action(
    async (signum: number, process: PidOrLabel, options: KillOptions) => {
      end(await withFlux(options, async (flux) => run(flux, signum, process, await inJob(flux, options))));
    },
  );
}

async function run(flux: Flux, signum: number, process: PidOrLabel, options: KillOptions): Promise<number> {
  const { rank, service, sign } = options;
  if (rank !== undefined) {
    const targets = await processRanks(flux, rank, process);
    if (targets.length > 1) return killOnRanks(flux, signum, process, targets, options);
    return killOne(flux, signum, { ...process, nodeid: targets[0], service, sign }, options.wait);
  }
  return killOne(flux, signum, { ...process, nodeid: undefined, service, sign }, options.wait);
}

async function killOne(
  flux: Flux,
  signum: number,
  target: PidOrLabel & { nodeid: number | undefined; service: string; sign: true | undefined },
  thenWait = false,
): Promise<number> {
  try {
    await kill(flux, { ...target, signum }).get();
  } catch (error) {
    // It may be a zombie: the wait has its status.
    if (!(thenWait && isGone(error))) throw error;
  }
  return thenWait ? outcomeCode(await wait(flux, target).getOutcome()) : 0;
}

async function killOnRanks(
  flux: Flux,
  signum: number,
  process: PidOrLabel,
  ranks: readonly number[],
  { service, sign, wait: thenWait = false }: KillOptions,
): Promise<number> {
  const { errors } = await kill(flux, { ...process, nodeid: [...ranks], service, sign, signum }).settle();
  const failed = errors.filter((error) => !(thenWait && isGone(error)));
  const code = reportFailures("kill", failed, { hosts: await hostNamesFor(flux, failed) });
  if (!thenWait) return code;
  const gone = new Set(failed.map(({ rank }) => rank));
  const left = ranks.filter((rank) => !gone.has(rank));
  if (left.length === 0) return code;
  return Math.max(code, await waitOnRanks(flux, "kill", process, left, { service, sign }));
}

function isGone(error: unknown): boolean {
  return error instanceof FluxError && error.code === "ESRCH";
}
