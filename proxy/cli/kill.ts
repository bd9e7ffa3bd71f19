/** `kill`: a signal to a process. */
import type { Command } from "commander";
import { type Flux, FluxError, kill, type PidOrLabel, wait } from "../../src/index.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { outcomeCode } from "./exit-code.js";
import { addJobOption, inJob } from "./job.js";
import { pidOrLabel, rank, signal } from "./parse.js";

interface KillOptions extends ConnectionOptions {
  jobid?: string;
  rank?: number;
  service: string;
  wait?: boolean;
}

/** Adds the command `kill`. @param end takes the exit code */
export function addKill(program: Command, end: (code: number) => void): void {
  const command = program
    .command("kill")
    .description("send a signal to a process and its process group")
    .argument("<signal>", "a number or a name: 15, TERM, SIGTERM", signal)
    .argument("<pid|label>", "the process", pidOrLabel)
    .option("-r, --rank <RANK>", "its rank (default: the proxy's broker)", rank)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-w, --wait", "then wait for its end, and exit with its exit code");
  addConnectionOptions(addJobOption(command)).action(
    async (signum: number, process: PidOrLabel, options: KillOptions) => {
      end(await withFlux(options, async (flux) => run(flux, signum, process, await inJob(flux, options))));
    },
  );
}

async function run(flux: Flux, signum: number, process: PidOrLabel, options: KillOptions): Promise<number> {
  const target = { ...process, nodeid: options.rank, service: options.service, sign: options.sign };
  try {
    await kill(flux, { ...target, signum }).get();
  } catch (error) {
    // It may be a zombie: the wait has its status.
    if (!(options.wait && error instanceof FluxError && error.code === "ESRCH")) throw error;
  }
  return options.wait ? outcomeCode(await wait(flux, target).getOutcome()) : 0;
}
