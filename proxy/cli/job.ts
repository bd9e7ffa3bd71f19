/** `--jobid`: the ranks of a command are nodes of a job, and its service is the job's, as for `flux exec --jobid`. */
import type { Command } from "commander";
import { type Flux, job } from "../../src/index.js";
import { CliError, USAGE } from "./errors.js";
import type { Ranks } from "./parse.js";

/** The options that {@link inJob} changes. */
export interface JobFlags {
  jobid?: string;
  rank?: Ranks;
  exclude?: Ranks;
  service: string;
}

const REXEC = "rexec";

/** Gives a command the option `--jobid`. */
export function addJobOption(command: Command): Command {
  return command.option(
    "-j, --jobid <ID>",
    "in a job that runs: ranks count from 0 within it, and the service is the job's",
  );
}

/** The options of a command with the broker's ranks and the service of `--jobid`; as they are without it. */
export async function inJob<T extends JobFlags>(flux: Flux, options: T): Promise<T> {
  const { jobid, rank, exclude, service } = options;
  if (jobid === undefined) return options;
  if (service !== REXEC) throw new CliError("--jobid and --service exclude each other", USAGE);
  const found = await find(flux, jobid);
  const on = (index: number) => {
    try {
      return found.node(index).nodeid;
    } catch (error) {
      throw new CliError((error as Error).message, USAGE);
    }
  };
  const within = (ranks: Ranks): number[] => {
    if (ranks === "all") return [...found.ranks];
    if ("hosts" in ranks) throw new CliError("--jobid takes the numbers of nodes, not hosts", USAGE);
    return ranks.map(on);
  };
  return {
    ...options,
    rank: within(rank ?? [0]),
    exclude: exclude && within(exclude),
    service: found.service.name,
  };
}

async function find(flux: Flux, jobid: string) {
  try {
    return await job(flux, jobid);
  } catch (error) {
    if (error instanceof TypeError) throw new CliError(error.message, USAGE);
    throw error;
  }
}
