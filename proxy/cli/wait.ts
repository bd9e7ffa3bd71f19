/** `wait`: exits with the exit code of a waitable process. */
import type { Command } from "commander";
import { type Flux, type PidOrLabel, wait } from "../../src/index.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { outcomeCode } from "./exit-code.js";
import { addJobOption, inJob } from "./job.js";
import { pidOrLabel, type Ranks, ranks } from "./parse.js";
import { reportFailures } from "./rank-failures.js";
import { hostNamesFor, processRanks } from "./ranks.js";
import { outcomeLines } from "./report.js";

interface WaitOptions extends ConnectionOptions {
  jobid?: string;
  rank?: Ranks;
  service: string;
  output?: boolean;
}

/** Adds the command `wait`. @param end takes the exit code */
export function addWait(program: Command, end: (code: number) => void): void {
  const command = program
    .command("wait")
    .description(
      "wait for the end of a process that was started with --waitable, and exit with its greatest exit code",
    )
    .argument("<pid|label>", "the process: a pid, on one rank only, or a label", pidOrLabel)
    .option("-r, --rank <RANKS>", `its ranks or hosts, or "all" (default: the proxy's broker)`, ranks)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-o, --output", "write the output that the broker kept, its last few KiB");
  addConnectionOptions(addJobOption(command)).action(async (target: PidOrLabel, options: WaitOptions) => {
    end(await withFlux(options, async (flux) => run(flux, target, await inJob(flux, options))));
  });
}

async function run(flux: Flux, target: PidOrLabel, options: WaitOptions): Promise<number> {
  const { rank, service, output, sign } = options;
  const targets = rank === undefined ? [] : await processRanks(flux, rank, target);
  if (targets.length > 1) return waitOnRanks(flux, "wait", target, targets, options);
  const rpc = wait(flux, { ...target, nodeid: targets[0], service, sign });
  const outcome = await rpc.getOutcome();
  if (output) {
    process.stdout.write(await rpc.stdout);
    process.stderr.write(await rpc.stderr);
  }
  return outcomeCode(outcome);
}

/** Waits for a labelled process on several ranks. @returns the greatest exit code */
export async function waitOnRanks(
  flux: Flux,
  command: string,
  target: PidOrLabel,
  ranks: readonly number[],
  { service, output, sign }: Pick<WaitOptions, "service" | "output" | "sign">,
): Promise<number> {
  const { results, errors } = await wait(flux, { ...target, nodeid: [...ranks], service, sign }).settle();
  if (output) {
    for (const { stdout, stderr } of results) {
      process.stdout.write(stdout);
      process.stderr.write(stderr);
    }
  }
  process.stderr.write(outcomeLines(results));
  const code = reportFailures(command, errors, { hosts: await hostNamesFor(flux, errors) });
  return results.reduce((most, { outcome }) => Math.max(most, outcomeCode(outcome)), code);
}
