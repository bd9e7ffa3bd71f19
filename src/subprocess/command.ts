import { MAX_NAME } from "../protocol/frame.js";
import type { Command } from "../protocol/rfc42.js";

const encoder = new TextEncoder();

/** What a command has beside its arguments. */
export interface CommandOptions {
  /** A name for the process, unique on its rank. */
  label?: string | undefined;
  /** The working directory. Default: the server's, since the caller's may be on another machine. */
  cwd?: string | undefined;
  /** The environment. Default: the server's; the caller's does not belong on a cluster. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Subprocess options, such as `{ stdout_LINE_BUFFER: "false" }`. */
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
  for (const argument of command) checkText("command", argument);
  if (label !== undefined) checkName("label", label);
  if (cwd !== undefined) checkName("cwd", cwd);
  for (const name of channels) checkStream("channels", name);
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
    checkName(`a name in ${what}`, key);
    if (key.includes("=")) throw new TypeError(`a name in ${what} has a "=": ${JSON.stringify(key)}`);
    checkText(`${what}.${key}`, value);
  }
  return Object.fromEntries(entries);
}

/** @throws TypeError if `name` can be no stream's: input and output frames could not carry it */
export function checkStream(what: string, name: unknown): void {
  checkName(what, name);
  if (encoder.encode(name as string).length > MAX_NAME) {
    throw new TypeError(`${what} has a name of more than ${MAX_NAME} bytes`);
  }
}

function checkName(what: string, value: unknown): void {
  checkText(what, value);
  if (value === "") throw new TypeError(`${what} is empty`);
}

function checkText(what: string, value: unknown): void {
  if (typeof value !== "string") throw new TypeError(`${what} is not a string`);
  if (value.includes("\0")) throw new TypeError(`${what} has a NUL character`);
}
