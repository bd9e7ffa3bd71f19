/** `ps`: the processes of one rank, once or after each change. */
import type { Command } from "commander";
import { type Flux, list, type Subprocess, watch } from "../../src/index.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { explain, say } from "./errors.js";
import { FAILED } from "./exit-code.js";
import { rank } from "./parse.js";
import { untilSignal } from "./signals.js";

interface PsOptions extends ConnectionOptions {
  rank?: number;
  service: string;
  /** False with --no-header. */
  header: boolean;
  watch?: boolean;
}

export function addPs(program: Command, end: (code: number) => void): void {
  const command = program
    .command("ps")
    .description("list the processes of one rank")
    .option("-r, --rank <RANK>", "the rank (default: the broker spoken to)", rank)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-n, --no-header", "do not print the headings")
    .option("-w, --watch", "go on, and print them again after each change");
  addConnectionOptions(command).action(async (options: PsOptions) => {
    const { rank: nodeid, service, header, sign } = options;
    if (options.watch) {
      end(await withFlux(options, (flux) => keepPrinting(flux, options)));
      return;
    }
    const processes = await withFlux(options, (flux) => list(flux, { nodeid, service, sign }).getProcesses());
    process.stdout.write(table(processes, header));
    end(0);
  });
}

/** Prints until a signal comes: over what was there before on a terminal, else below an empty line. */
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
      // It was refused, and that was said.
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
  // Others chose these texts: no control character of theirs gets at the terminal.
  const columns = [pid.padStart(9), state.padEnd(2), label.padEnd(12), cmd];
  return `${columns.join(" ").replace(/\p{Cc}/gu, "?")}\n`;
}
