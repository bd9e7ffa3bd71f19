/** `ps`: the processes of one rank. */
import type { Command } from "commander";
import { list } from "../../src/index.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { rank } from "./parse.js";

interface PsOptions extends ConnectionOptions {
  rank?: number;
  service: string;
  /** False with --no-header. */
  header: boolean;
}

export function addPs(program: Command, end: (code: number) => void): void {
  const command = program
    .command("ps")
    .description("list the processes of one rank")
    .option("-r, --rank <RANK>", "the rank (default: the broker spoken to)", rank)
    .option("-s, --service <NAME>", "the subprocess service", "rexec")
    .option("-n, --no-header", "do not print the headings");
  addConnectionOptions(command).action(async (options: PsOptions) => {
    const { rank: nodeid, service, header } = options;
    const processes = await withFlux(options, (flux) => list(flux, { nodeid, service }).getProcesses());
    if (header) process.stdout.write(row("PID", "ST", "LABEL", "COMMAND"));
    for (const { pid, state, label, cmd } of processes)
      process.stdout.write(row(String(pid), state, label, cmd));
    end(0);
  });
}

function row(pid: string, state: string, label: string, cmd: string): string {
  // Others chose these texts: no control character of theirs gets at the terminal.
  const columns = [pid.padStart(9), state.padEnd(2), label.padEnd(12), cmd];
  return `${columns.join(" ").replace(/\p{Cc}/gu, "?")}\n`;
}
