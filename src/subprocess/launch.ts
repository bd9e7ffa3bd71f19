/** Commands in a checked directory, or with added variables: env(1) starts them, and its failures are errors. */
import { errnoOf, type FluxError, type FluxErrorCode } from "../errors.js";
import { boolean } from "../protocol/checks.js";
import { canLaunch, launcherCommand, launcherPath } from "../protocol/launcher.js";
import type { OptionChecks } from "../protocol/options.js";
import type { Command } from "../protocol/rfc42.js";
import type { ClientCall, RankMessage } from "../session/client-call.js";
import { type CommandOptions, commandObject } from "./command.js";

/** The options of a command that is run. */
export interface LaunchOptions extends CommandOptions {
  /**
   * Add `env` to the server's environment, in the place of replacing it. env(1) does that on the rank, so for a moment all users there can
   * see the values in the list of processes: pass no secrets.
   * @default false
   */
  extendEnv?: boolean | undefined;
  /**
   * Fail if `cwd` does not exist. env(1) checks that on the rank, and lists then have its name for the program's. With `false` Flux runs
   * the program in /tmp instead, and says so on its standard error.
   * @default true
   */
  checkCwd?: boolean | undefined;
}

/** The checks of the options that {@link LaunchOptions} adds. */
export const LAUNCH_OPTIONS: OptionChecks<Omit<LaunchOptions, keyof CommandOptions>> = {
  extendEnv: boolean,
  checkCwd: boolean,
};

/** A command object, and the path of env(1) if that starts the program. */
export interface LaunchedCommand {
  cmd: Command;
  launcher: string | undefined;
}

/** The command object of checked options. @throws TypeError naming the argument that is not valid */
export function launchedCommand(
  command: readonly string[],
  { extendEnv = false, checkCwd = true, ...options }: LaunchOptions,
): LaunchedCommand {
  const cmd = commandObject(command, options);
  const env = extendEnv ? cmd.env : {};
  const cwd = checkCwd ? cmd.cwd : undefined;
  if (cwd === undefined && Object.keys(env).length === 0) return { cmd, launcher: undefined };
  const [program] = cmd.cmdline as [string];
  if (!canLaunch(program)) {
    const option = cwd === undefined ? "extendEnv" : "cwd; pass checkCwd: false";
    throw new TypeError(`a program with the name ${JSON.stringify(program)} cannot be run with ${option}`);
  }
  const launcher = launcherPath(Math.random() * 0x10000);
  const { cwd: unchecked, ...rest } = cmd;
  return {
    cmd: {
      ...rest,
      cmdline: launcherCommand({ cmdline: cmd.cmdline, cwd, env }, launcher),
      ...(cwd === undefined && unchecked !== undefined ? { cwd: unchecked } : {}),
      env: extendEnv ? {} : cmd.env,
    },
    launcher,
  };
}

/** The most characters of a message of env(1): a path has at most 4096 bytes. */
const MAX_MESSAGE = 8192;

/** The exit codes of env(1) itself, and the error of each. */
const FAILURES: Readonly<Record<number, FluxErrorCode>> = { 125: "ENOENT", 126: "EACCES", 127: "ENOENT" };

/** The other errors of chdir(2), by their words. */
const REASONS: readonly (readonly [RegExp, FluxErrorCode])[] = [
  [/Permission denied/, "EACCES"],
  [/Not a directory/, "ENOTDIR"],
  // coreutils before 8.28
  [/invalid option/, "ENOSYS"],
];

/** Turns the end of an env(1) that could not start its program into an error. */
export class LaunchFailures {
  readonly #launcher: string;
  readonly #error: ClientCall["error"];
  readonly #pass: (message: RankMessage) => void;
  readonly #decoder = new TextDecoder();
  /** The beginning of each rank's standard error. */
  readonly #messages = new Map<number, string>();
  /** By rank: a `finished` that may be env's. Output may follow it. */
  readonly #held = new Map<number, { message: RankMessage; code: FluxErrorCode }>();

  /**
   * @param error makes an error of the request
   * @param pass receives the messages of the program, and the errors
   */
  constructor(launcher: string, error: ClientCall["error"], pass: (message: RankMessage) => void) {
    this.#launcher = launcher;
    this.#error = error;
    this.#pass = pass;
  }

  /** Takes a message of a rank. */
  receive(message: RankMessage): void {
    const { type, rank } = message;
    if (type === "data" && message.stream === "stderr") {
      const text = this.#messages.get(rank) ?? "";
      if (text.length < MAX_MESSAGE) this.#messages.set(rank, text + this.#decoder.decode(message.data));
    } else if (type === "response" && message.payload["type"] === "finished") {
      const status = message.payload["status"] as number;
      const code = status & 0xff ? undefined : FAILURES[status >> 8];
      if (code) {
        this.#held.set(rank, { message, code });
        return;
      }
    } else if (type === "end") {
      const held = this.#held.get(rank);
      const error = held && this.#failure(rank, held.code);
      if (held) this.#pass(error ? { type: "error", rank, error } : held.message);
      if (error) return;
    }
    this.#pass(message);
  }

  #failure(rank: number, code: FluxErrorCode): FluxError | undefined {
    const [begin, ...words] = (this.#messages.get(rank) ?? "").split(": ");
    if (begin !== this.#launcher) return undefined;
    const text = words.join(": ").trim();
    const reason = REASONS.find(([pattern]) => pattern.test(text))?.[1];
    return this.#error(errnoOf(reason ?? code), text, rank);
  }
}
