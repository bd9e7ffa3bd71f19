/** `attach`: follows a process that runs in background. */
import type { Command } from "commander";
import { attach, type Flux, type PidOrLabel } from "../../src/index.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { follow } from "./follow.js";
import { addJobOption, inJob } from "./job.js";
import { namesHosts, pidOrLabel, type Ranks, ranks } from "./parse.js";
import { hostNames, processRanks } from "./ranks.js";

interface AttachOptions extends ConnectionOptions {
  jobid?: string;
  rank?: Ranks;
  service: string;
  labelIo?: boolean;
  verbose?: boolean;
  quiet?: boolean;
}

/** Adds the command `attach`. @param end takes the exit code */
export function addAttach(program: Command, end: (code: number) => void): void {
  const command = program
    .command("attach")
    .description("follow a background process to its end; Ctrl-C leaves it running")
    .argument("<pid|label>", "the process: a pid, on one rank only, or a label", pidOrLabel)
    .option("-r, --rank <RANKS>", `its ranks or hosts, or "all" (default: the proxy's broker)`, ranks)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-l, --label-io", "begin each line of output with its rank")
    .option("-v, --verbose", "report each step")
    .option("-q, --quiet", "do not report the ranks that failed");
  addConnectionOptions(addJobOption(command)).action(async (process: PidOrLabel, options: AttachOptions) => {
    end(await withFlux(options, async (flux) => run(flux, process, await inJob(flux, options))));
  });
}

async function run(flux: Flux, process: PidOrLabel, options: AttachOptions): Promise<number> {
  const { rank, service, sign } = options;
  const targets = rank === undefined ? undefined : await processRanks(flux, rank, process);
  const nodeid = targets === undefined ? "any" : encodeIdset(targets);
  const name = process.label ?? process.pid;
  const where = rank === undefined ? "" : ` -r ${nodeid}`;
  const hosts = rank !== undefined && namesHosts(rank) ? await hostNames(flux) : undefined;
  return follow(flux, attach(flux, { ...process, service, nodeid, sign }), {
    ...options,
    command: "attach",
    hosts,
    subject: process.label === undefined ? `pid ${name}` : `label ${name}`,
    detached: `detached; it still runs: flux-subprocess kill${where} TERM ${name} ends it\n`,
  });
}
