/** Parses the RFC 42 command object of an exec request as libsubprocess does (command.c cmd_fromjson). */
import { FluxError, type FluxErrorCode } from "../../src/errors.js";
import { cString, UnpackError, unpack } from "./unpack.js";

/** A parsed command object. The fields are Maps because names come from the client and `__proto__` is a valid one. */
export interface ServerCommand {
  label: string | undefined;
  cwd: string | undefined;
  cmdline: string[];
  env: Map<string, string>;
  opts: Map<string, string>;
  channels: string[];
}

const PARSE_ERROR = "error parsing command string";

/**
 * Parses a command object for rexec.
 * @throws FluxError with libsubprocess's errno
 */
export function parseCommand(value: unknown): ServerCommand {
  const { label, cwd, cmdline, env, opts, channels, msgchan } = unpackCommand(value);
  const command: ServerCommand = {
    label,
    cwd,
    cmdline: strings(cmdline, "EINVAL"),
    env: stringMap(env, "EINVAL"),
    opts: stringMap(opts, "EPROTO"),
    channels: strings(channels, "EPROTO"),
  };
  if (msgchan !== undefined && !Array.isArray(msgchan)) throw new FluxError("EINVAL", PARSE_ERROR);
  if (msgchan?.length) throw new FluxError("EINVAL", "message channels are not supported");
  return command;
}

/**
 * Parses a command object for sdexec (libsdexec start.c): `cmdline` and, for systemd, the other fields. sdexec ignores channels and
 * message channels.
 * @throws FluxError with sdexec's errno
 */
export function sdexecCommand(value: unknown): ServerCommand {
  const cmd = typeof value === "object" && value !== null ? value : {};
  const { env, opts } = cmd as { env?: unknown; opts?: unknown };
  const cmdline = "cmdline" in cmd && Array.isArray(cmd.cmdline) ? cmd.cmdline : [];
  if (cmdline.length === 0) throw new FluxError("EPROTO", "error parsing command object: ");
  if (cmdline.some((word) => typeof word !== "string")) {
    const text = "error translating JSON to StartTransientUnit method-call: Protocol error";
    throw new FluxError("EINVAL", text);
  }
  return {
    label: "label" in cmd && typeof cmd.label === "string" ? cString(cmd.label) : undefined,
    cwd: "cwd" in cmd && typeof cmd.cwd === "string" ? cString(cmd.cwd) : undefined,
    cmdline: cmdline.map((word: string) => cString(word)),
    env: texts(env, "(null)"),
    opts: texts(opts, undefined),
    channels: [],
  };
}

/** The strings of an object. `other` replaces a value of another type; if undefined, the value is left out. */
function texts(value: unknown, other: string | undefined): Map<string, string> {
  const entries = Object.entries(typeof value === "object" && value !== null ? value : {});
  const read = entries.map(([key, item]) => [cString(key), typeof item === "string" ? cString(item) : other]);
  return new Map(read.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function unpackCommand(value: unknown) {
  try {
    return unpack(value, {
      label: "string?",
      cwd: "string?",
      cmdline: "any",
      env: "any",
      opts: "any",
      channels: "any",
      msgchan: "any?",
    });
  } catch (error) {
    if (error instanceof UnpackError) throw new FluxError("EPROTO", PARSE_ERROR, { cause: error });
    throw error;
  }
}

function strings(value: unknown, errno: FluxErrorCode): string[] {
  if (!Array.isArray(value)) throw new FluxError(errno, PARSE_ERROR);
  return value.map((item: unknown) => string(item, errno));
}

function stringMap(value: unknown, errno: FluxErrorCode): Map<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FluxError(errno, PARSE_ERROR);
  return new Map(Object.entries(value).map(([key, item]) => [cString(key), string(item, errno)]));
}

function string(value: unknown, errno: FluxErrorCode): string {
  if (typeof value !== "string") throw new FluxError(errno, PARSE_ERROR);
  return cString(value);
}

/** The command object of an attached response, keys in libsubprocess's order (command.c cmd_tojson). */
export function commandObject(command: ServerCommand): object {
  return {
    cwd: command.cwd,
    label: command.label,
    cmdline: command.cmdline,
    // fromEntries defines own properties, also for the name `__proto__`
    env: Object.fromEntries(command.env),
    opts: Object.fromEntries(command.opts),
    channels: command.channels,
    msgchan: [],
  };
}

/** The name of a command in a list (server.c process_info): "flux" alone says too little. */
export function commandName({ cmdline: [name = "", subcommand] }: ServerCommand): string {
  return name === "flux" && subcommand !== undefined ? `${name} ${subcommand}`.slice(0, 63) : name;
}

/** Puts the server's own variables into a command's environment (server.c server_exec_cb). */
export function completeEnvironment(env: Map<string, string>, uri: string): void {
  if (env.size === 0) {
    for (const [name, value] of Object.entries(process.env)) env.set(name, value ?? "");
  }
  env.delete("FLUX_URI"); // so that it comes last, as with envz_add(3)
  env.set("FLUX_URI", uri);
  for (const name of ["FLUX_PROXY_REMOTE", "NOTIFY_SOCKET", "INVOCATION_ID"]) env.delete(name);
}
