/** `wait`: exits with the exit code of a waitable process. */
import type { Command } from "commander";
import { type Flux, type PidOrLabel, wait } from "../../src/index.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { outcomeCode } from "./exit-code.js";
import { addJobOption, inJob } from "./job.js";
import { pidOrLabel, rank } from "./parse.js";

interface WaitOptions extends ConnectionOptions {
  jobid?: string;
  rank?: number;
  service: string;
  output?: boolean;
}

/** Adds the command `wait`. @param end takes the exit code */
export function addWait(program: Command, end: (code: number) => void): void {
  const command = program
    .command("wait")
    .description(
      "wait for the end of a process that was started with --waitable, and exit with its exit code",
    )
    .argument("<pid|label>", "the process", pidOrLabel)
    .option("-r, --rank <RANK>", "its rank (default: the proxy's broker)", rank)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-o, --output", "write the output that the broker kept, its last few KiB");
  addConnectionOptions(addJobOption(command)).action(async (target: PidOrLabel, options: WaitOptions) => {
    end(await withFlux(options, async (flux) => run(flux, target, await inJob(flux, options))));
  });
}

async function run(
  flux: Flux,
  target: PidOrLabel,
  { rank, service, output, sign }: WaitOptions,
): Promise<number> {
  const rpc = wait(flux, { ...target, nodeid: rank, service, sign });
  const outcome = await rpc.getOutcome();
  if (output) {
    process.stdout.write(await rpc.stdout);
    process.stderr.write(await rpc.stderr);
  }
  return outcomeCode(outcome);
}
