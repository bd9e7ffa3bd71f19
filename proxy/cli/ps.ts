/** `ps`: the processes of one rank, once or after each change. */
import type { Command } from "commander";
import { type Flux, list, type Subprocess, watch } from "../../src/index.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { explain, say } from "./errors.js";
import { FAILED } from "./exit-code.js";
import { addJobOption, inJob } from "./job.js";
import { rank } from "./parse.js";
import { untilSignal } from "./signals.js";

interface PsOptions extends ConnectionOptions {
  jobid?: string;
  rank?: number;
  service: string;
  /** False with --no-header. */
  header: boolean;
  watch?: boolean;
}

/** Adds the command `ps`. @param end takes the exit code */
export function addPs(program: Command, end: (code: number) => void): void {
  const command = program
    .command("ps")
    .description("list the processes of one rank")
    .option("-r, --rank <RANK>", "the rank (default: the proxy's broker)", rank)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-n, --no-header", "do not print the headings")
    .option("-w, --watch", "print them again after each change, until Ctrl-C");
  addConnectionOptions(addJobOption(command)).action(async (options: PsOptions) => {
    end(await withFlux(options, async (flux) => print(flux, await inJob(flux, options))));
  });
}

async function print(flux: Flux, options: PsOptions): Promise<number> {
  if (options.watch) return keepPrinting(flux, options);
  const { rank: nodeid, service, header, sign } = options;
  process.stdout.write(table(await list(flux, { nodeid, service, sign }).getProcesses(), header));
  return 0;
}

/** Prints until a signal comes: on a terminal over the table before, otherwise after an empty line. */
function keepPrinting(flux: Flux, { rank, service, header, sign }: PsOptions): Promise<number> {
  const again = process.stdout.isTTY ? "\x1b[H\x1b[2J" : "\n";
  let before = process.stdout.isTTY ? again : "";
  return new Promise((resolve, reject) => {
    const subscription = watch(flux, { nodeid: rank ?? "any", service, sign }).subscribe({
      next: ({ processes, errors: [error] }) => {
        process.stdout.write(before + table(processes, header));
        if (error !== undefined) say("ps", `Error: ${explain(error)}`);
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

function table(processes: readonly Subprocess[], header: boolean): string {
  const rows = processes.map(({ pid, state, label, cmd }) => row(String(pid), state, label, cmd));
  return [...(header ? [row("PID", "ST", "LABEL", "COMMAND")] : []), ...rows].join("");
}

function row(pid: string, state: string, label: string, cmd: string): string {
  // Other users chose these texts: no control character may reach the terminal.
  const columns = [pid.padStart(9), state.padEnd(2), label.padEnd(12), cmd];
  return `${columns.join(" ").replace(/\p{Cc}/gu, "?")}\n`;
}
