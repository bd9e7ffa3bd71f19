/** `ps`: the processes of some ranks, once or after each change. */
import type { Command } from "commander";
import { type Flux, list, type Subprocess, watch } from "../../src/index.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { explain, say } from "./errors.js";
import { FAILED } from "./exit-code.js";
import { addJobOption, inJob } from "./job.js";
import { type Ranks, ranks } from "./parse.js";
import { reportFailures } from "./rank-failures.js";
import { hostNames, targetRanks } from "./ranks.js";
import { untilSignal } from "./signals.js";

interface PsOptions extends ConnectionOptions {
  jobid?: string;
  rank?: Ranks;
  service: string;
  /** False with --no-header. */
  header: boolean;
  watch?: boolean;
}

/** The columns of a table. */
interface Columns {
  header: boolean;
  /** True if the table may have processes of several ranks. */
  rank: boolean;
  /** The name of each rank's host; undefined if they do not tell ranks apart. */
  hosts: ReadonlyMap<number, string> | undefined;
}

/** Adds the command `ps`. @param end takes the exit code */
export function addPs(program: Command, end: (code: number) => void): void {
  const command = program
    .command("ps")
    .description("list the processes of one rank or of several")
    .option("-r, --rank <RANKS>", `the ranks or hosts, or "all" (default: the proxy's broker)`, ranks)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-n, --no-header", "do not print the headings")
    .option("-w, --watch", "print them again after each change, until Ctrl-C");
  addConnectionOptions(addJobOption(command)).action(async (options: PsOptions) => {
    end(await withFlux(options, async (flux) => run(flux, await inJob(flux, options))));
  });
}

async function run(flux: Flux, options: PsOptions): Promise<number> {
  const { rank, service, header, sign } = options;
  const nodeid = rank === undefined ? ("any" as const) : await targetRanks(flux, rank);
  const several = nodeid !== "any" && nodeid.length > 1;
  const columns = { header, rank: several, hosts: several ? await hostNames(flux) : undefined };
  const target = { nodeid, service, sign };
  if (options.watch) return keepPrinting(flux, target, columns);
  if (!several) {
    const one = nodeid === "any" ? nodeid : nodeid[0];
    const processes = await list(flux, { ...target, nodeid: one }).getProcesses();
    process.stdout.write(table(processes, columns));
    return 0;
  }
  const { results, errors } = await list(flux, { ...target, nodeid }).settle();
  const processes = results.flatMap(({ rank, procs }) => procs.map((proc) => ({ ...proc, rank })));
  process.stdout.write(table(processes, columns));
  return reportFailures("ps", errors, { hosts: columns.hosts });
}

/** Prints until a signal comes: on a terminal over the table before, otherwise after an empty line. */
function keepPrinting(
  flux: Flux,
  target: { nodeid: "any" | readonly number[]; service: string; sign: true | undefined },
  columns: Columns,
): Promise<number> {
  const again = process.stdout.isTTY ? "\x1b[H\x1b[2J" : "\n";
  let before = process.stdout.isTTY ? again : "";
  return new Promise((resolve, reject) => {
    const subscription = watch(flux, target).subscribe({
      next: ({ processes, errors }) => {
        process.stdout.write(before + table(processes, columns));
        const [error] = errors;
        if (columns.rank) reportFailures("ps", errors, { hosts: columns.hosts });
        else if (error !== undefined) say("ps", `Error: ${explain(error)}`);
        before = again;
      },
      error: reject,
      // The watch was refused, and `next` has reported it.
      complete: () => resolve(FAILED),
    });
    void untilSignal().then(() => {
      subscription.unsubscribe();
      resolve(0);
    });
  });
}

type Row = Pick<Subprocess, "rank" | "pid" | "state" | "label" | "cmd">;

function table(processes: readonly Row[], columns: Columns): string {
  const { header, rank: withRank, hosts } = columns;
  const place = (rank: string, host: string) => [
    ...(withRank ? [rank.padStart(4)] : []),
    ...(hosts ? [host.padEnd(12)] : []),
  ];
  const rows = processes.map(({ rank, pid, state, label, cmd }) =>
    row(place(String(rank), hosts?.get(rank) ?? "-"), String(pid), state, label || "-", cmd),
  );
  return [...(header ? [row(place("RANK", "HOST"), "PID", "ST", "LABEL", "COMMAND")] : []), ...rows].join("");
}

function row(place: readonly string[], pid: string, state: string, label: string, cmd: string): string {
  // Other users chose these texts: no control character may reach the terminal.
  const columns = [...place, pid.padStart(9), state.padEnd(2), label.padEnd(12), cmd];
  return `${columns.join(" ").replace(/\p{Cc}/gu, "?")}\n`;
}
