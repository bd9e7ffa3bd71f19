/** `exec`: a command on ranks, in foreground or in background. */
import type { Command } from "commander";
import { type CommandOptions, exec, type Flux, rexecBg, type ServiceOptions } from "../../src/index.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import { addConnectionOptions, type ConnectionOptions, withFlux } from "./connection.js";
import { CliError, say, USAGE } from "./errors.js";
import { startFailureCode } from "./exit-code.js";
import { follow } from "./follow.js";
import { addJobOption, inJob } from "./job.js";
import { assignment, duration, namesHosts, type Ranks, ranks } from "./parse.js";
import { reportFailures } from "./rank-failures.js";
import { hostNames, hostNamesFor, targetRanks } from "./ranks.js";

interface ExecOptions extends ConnectionOptions {
  jobid?: string;
  rank: Ranks;
  exclude?: Ranks;
  dir?: string;
  label?: string;
  env?: Record<string, string>;
  setopt?: Record<string, string>;
  service: string;
  labelIo?: boolean;
  noinput?: boolean;
  timeout?: number;
  bg?: boolean;
  waitable?: boolean;
  verbose?: boolean;
  quiet?: boolean;
}

const NOTES = `
The process has the environment and the working directory of the Flux broker, not
yours. With --env it has only those variables and FLUX_URI. To add a variable:
  flux-subprocess exec env NAME=VALUE COMMAND

The exit code is the greatest of all ranks: the process's own, or 128 + n if signal n
ended it; 126 or 127 if it could not start, 68 if the rank does not exist, 1 if its
end is unknown.`;

/** Adds the command `exec`. @param end takes the exit code */
export function addExec(program: Command, end: (code: number) => void): void {
  const command = program
    .command("exec")
    .description("run a command on ranks; options end at its first word")
    .passThroughOptions()
    .argument("<command...>", "the program and its arguments")
    .option("-r, --rank <RANKS>", 'the ranks to run on, such as "0-3,7", or hosts: "node[1-3]"', ranks, "all")
    .option("-x, --exclude <RANKS>", "ranks or hosts to leave out", ranks)
    .option("-d, --dir <PATH>", "the working directory (default: the broker's)")
    .option("-l, --label-io", "begin each line of output with its rank")
    .option("-n, --noinput", "do not read stdin")
    .option("--timeout <TIME>", 'end the process after this time, such as "10s"', duration)
    .option("--bg", "run in background; prints RANK: PID")
    .option("--waitable", "with --bg: keep the exit status for a wait")
    .option("--label <LABEL>", "a name for the process, unique on its rank")
    .option("--env <NAME=VALUE>", "a variable of its environment; may be repeated, see below", assignment)
    .option("--service <NAME>", "the subprocess service", "rexec")
    .option("--setopt <NAME=VALUE>", "a subprocess option; may be repeated", assignment)
    .option("-v, --verbose", "report each step")
    .option("-q, --quiet", "do not report the ranks that failed")
    .addHelpText("after", NOTES);
  addConnectionOptions(addJobOption(command)).action(async (words: string[], options: ExecOptions) => {
    if (options.waitable && !options.bg) throw new CliError("--waitable is for --bg", USAGE);
    if (options.timeout && options.bg) throw new CliError("--timeout is not for --bg", USAGE);
    end(await withFlux(options, async (flux) => run(flux, words, await inJob(flux, options))));
  });
}

async function run(flux: Flux, words: string[], options: ExecOptions): Promise<number> {
  const targets = await targetRanks(flux, options.rank, options.exclude);
  return options.bg ? background(flux, words, targets, options) : foreground(flux, words, targets, options);
}

async function foreground(
  flux: Flux,
  words: string[],
  targets: readonly number[],
  options: ExecOptions,
): Promise<number> {
  const { service, noinput, verbose, timeout } = options;
  const subject = words[0] as string;
  const began = performance.now();
  const note = (text: string) => {
    if (verbose) say("exec", `${Math.round(performance.now() - began)} ms: ${text}`);
  };
  const nodeid = encodeIdset(targets);
  const stdin = noinput ? undefined : process.stdin;
  const events = exec(flux, words, { ...commandOptions(options), service, nodeid, stdin, timeout });
  note(`starting ${subject} on [${nodeid}]`);
  const hosts = namesHosts(options.rank) ? await hostNames(flux) : undefined;
  const code = await follow(flux, events, { ...options, command: "exec", subject, hosts });
  note(`done, exit code ${code}`);
  // An open terminal would keep this process alive.
  stdin?.destroy();
  return code;
}

async function background(
  flux: Flux,
  words: string[],
  targets: readonly number[],
  options: ExecOptions,
): Promise<number> {
  const { service, waitable } = options;
  const nodeid = [...targets];
  const started = rexecBg(flux, words, { ...commandOptions(options), service, waitable, nodeid });
  const { results, errors } = await started.settle();
  process.stdout.write(results.map(({ rank, pid }) => `${rank}: ${pid}\n`).join(""));
  const hosts = await hostNamesFor(flux, errors);
  return reportFailures("exec", errors, { hosts, subject: words[0] as string, codeOf: startFailureCode });
}

function commandOptions({ dir, label, env, setopt, sign }: ExecOptions): CommandOptions & ServiceOptions {
  return { cwd: dir, label, env, opts: setopt, sign };
}
