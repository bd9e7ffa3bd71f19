import { type Check, demand, name, optional, streamName, text } from "../protocol/checks.js";
import type { Command } from "../protocol/rfc42.js";

/** What a command has beside its arguments. */
export interface CommandOptions {
  /** A name for the process, unique on its rank. */
  label?: string | undefined;
  /** The working directory. Default: the server's, since the caller's may be on another machine. */
  cwd?: string | undefined;
  /** The environment. Default: the server's; the caller's does not belong on a cluster. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Subprocess options, such as `{ stdout_LINE_BUFFER: "false" }`; those of "sdexec" are in docs/sdexec.md. */
  opts?: Readonly<Record<string, string>> | undefined;
  /** Names of auxiliary channels. Each is a socket, its descriptor in the environment variable of that name. */
  channels?: readonly string[] | undefined;
}

/**
 * Makes an RFC 42 command object. Python's counterpart is `flux.subprocess.command_create`; unlike it, `cwd` and `env`
 * default to the server's.
 *
 * @param command the program and its arguments
 * @throws TypeError naming what is wrong
 */
export function commandCreate(command: readonly string[], options: CommandOptions = {}): Command {
  const { label, cwd, env = {}, opts = {}, channels = [] } = options;
  if (!Array.isArray(command) || command.length === 0) {
    throw new TypeError("command is an array of at least one string");
  }
  for (const argument of command) demand("an argument", argument, text);
  demand("label", label, (value) => optional(value, name));
  demand("cwd", cwd, (value) => optional(value, name));
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

/** fromEntries defines properties, so that a key "__proto__" is one like any other. */
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
