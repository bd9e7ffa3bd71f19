import { type Check, demand, name, object, streamName, text } from "../protocol/checks.js";
import { checkOptions, type OptionChecks } from "../protocol/options.js";
import type { Command } from "../protocol/rfc42.js";

/** The optional fields of a command (RFC 42 Command Object). */
export interface CommandOptions {
  /**
   * A name for the process, unique on its rank.
   * @default no label
   */
  label?: string | undefined;
  /**
   * The working directory.
   * @default the server's, since the caller's may be on another machine
   */
  cwd?: string | undefined;
  /**
   * The whole environment, to which Flux adds `FLUX_URI`.
   * @default the server's, since the caller's does not belong on a cluster
   */
  env?: Readonly<Record<string, string>> | undefined;
  /**
   * Options of the subprocess server, such as `{ stdout_LINE_BUFFER: "false" }`. docs/sdexec.md has those of "sdexec".
   * @default no options; {@link exec} and {@link spawn} turn line buffering off
   */
  opts?: Readonly<Record<string, string>> | undefined;
  /**
   * Names of auxiliary channels. Each is a socket, whose descriptor is in the environment variable of that name.
   * @default no channels
   */
  channels?: readonly string[] | undefined;
}

/** The checks of {@link CommandOptions} but `channels`. */
export const COMMAND_OPTIONS: OptionChecks<Omit<CommandOptions, "channels">> = {
  label: name,
  cwd: name,
  env: object,
  opts: object,
};

/** The check of `channels`. */
export const CHANNELS_OPTION: OptionChecks<Pick<CommandOptions, "channels">> = {
  channels: (value) => !Array.isArray(value) && "is not an array",
};

/**
 * Makes an RFC 42 command object, for a request of your own. Python's counterpart is `flux.subprocess.command_create`, whose `cwd` and
 * `env` default to the caller's.
 *
 * @param command the program and its arguments
 * @param options the other fields
 * @throws TypeError naming the argument that is not valid
 *
 * @example
 * ```ts
 * const { cmdline, label } = commandCreate(["sleep", "60"], { label: "nap" });
 * console.log(cmdline.join(" "), label); // sleep 60 nap
 * ```
 */
export function commandCreate(command: readonly string[], options: CommandOptions = {}): Command {
  checkOptions("commandCreate", options, COMMAND_OPTIONS, CHANNELS_OPTION);
  return commandObject(command, options);
}

/** {@link commandCreate}, of options that {@link checkOptions} has checked. */
export function commandObject(command: readonly string[], options: CommandOptions): Command {
  const { label, cwd, env = {}, opts = {}, channels = [] } = options;
  if (typeof command === "string") {
    throw new TypeError(`command is an array of words, such as ["ls", "-l"], not ${JSON.stringify(command)}`);
  }
  if (!Array.isArray(command) || command.length === 0) {
    throw new TypeError("command is an array of at least one string");
  }
  for (const argument of command) demand("an argument", argument, text);
  for (const channel of channels) demand("a name in channels", channel, streamName);
  return {
    cmdline: [...command],
    ...(cwd === undefined ? {} : { cwd }),
    env: copyTexts("env", env),
    opts: copyTexts("opts", opts),
    channels: [...channels],
    ...(label === undefined ? {} : { label }),
  };
}

/** fromEntries defines properties, so a key "__proto__" sets no prototype. */
function copyTexts(what: string, record: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(record);
  for (const [key, value] of entries) {
    demand(`a name in ${what}`, key, variable);
    demand(`${what}.${key}`, value, text);
  }
  return Object.fromEntries(entries);
}

const variable: Check = (key) =>
  name(key) || ((key as string).includes("=") && `has a "=": ${JSON.stringify(key)}`);
