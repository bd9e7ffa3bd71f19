/**
 * The fields of RFC 42's requests, read as a server in C reads them. A value that C could read in another way is unreadable, and
 * so is every field and bit that RFC 42 does not have: their effect is unknown.
 */
import { pid as isPid, name as nonEmptyText } from "../../src/protocol/checks.js";
import { readLauncherCommand } from "../../src/protocol/launcher.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";

/** Methods of a subprocess server. */
export type Method = "exec" | "attach" | "write" | "kill" | "wait" | "list";

/** The fields that the policy compares with a token. */
export interface Fields {
  readonly pid?: number;
  /** Never empty. */
  readonly label?: string;
  readonly argv?: readonly string[];
  /** Only the names. */
  readonly env?: readonly string[];
  /** Names of auxiliary channels, each of which becomes a variable of the environment. */
  readonly channels?: readonly string[];
  readonly cwd?: string;
  /** Only the names. */
  readonly opts?: readonly string[];
  readonly signum?: number;
  /** True if the label has no characters. */
  readonly emptyLabel?: boolean;
  /** The reason why the request's effect in the server is unknown. */
  readonly unreadable?: string;
  /** The reason why the request is refused for every token. */
  readonly forbidden?: string;
}

/** The reason why a request cannot be read. */
class Unreadable extends Error {}

/** RFC 42 forbids an empty label; flux-core accepts it as a name. */
class EmptyLabel extends Unreadable {}

/** The most channels of an exec: each costs the server a descriptor, and the proxy a credit for each rank. */
const MAX_CHANNELS = 16;

const EXEC_FLAGS =
  EXEC_FLAG.stdout | EXEC_FLAG.stderr | EXEC_FLAG.channel | EXEC_FLAG.writeCredit | EXEC_FLAG.waitable;
const ATTACH_FLAGS = EXEC_FLAG.stdout | EXEC_FLAG.stderr | EXEC_FLAG.channel;

/** The most characters of a field's name that a reason repeats. */
const MAX_NAME_SHOWN = 64;

const READERS: Readonly<Record<Method, (payload: JsonObject) => Fields>> = {
  exec: readExec,
  attach: (payload) => {
    only(payload, ["pid", "label", "flags"], "the request");
    bits(payload["flags"], "flags", ATTACH_FLAGS);
    return readTarget(payload);
  },
  kill: (payload) => {
    only(payload, ["pid", "label", "signum"], "the request");
    return { ...readTarget(payload), signum: int32(payload["signum"], "signum") };
  },
  wait: (payload) => {
    only(payload, ["pid", "label"], "the request");
    return readTarget(payload);
  },
  list: (payload) => {
    only(payload, [], "the request");
    return {};
  },
  write: () => ({}),
};

/** The integers of RFC 42's requests. A server in C cuts one to 32 bits. */
const INTEGERS = ["pid", "signum", "flags", "local_flags"];

/** True if `text` is the name of a method. */
export function isMethod(text: string): text is Method {
  return Object.hasOwn(READERS, text);
}

/** The fields of a request; for an unreadable request, the reason. */
export function readFields(method: Method, payload: JsonObject): Fields {
  const { pid, label } = payload;
  const named = method === "attach" || method === "kill" || method === "wait";
  // flux-core cuts a pid to 32 bits: the request would reach another process.
  const impossible = named && label === undefined && isNumber(pid) && isPid(pid);
  if (impossible) return { ...(typeof pid === "number" ? { pid } : {}), forbidden: `pid ${impossible}` };
  const beyond = INTEGERS.find((field) => typeof payload[field] === "bigint");
  if (beyond !== undefined) return { forbidden: `${beyond} is over 32 bits` };
  try {
    return READERS[method](payload);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return {
      ...(named && typeof pid === "number" ? { pid } : {}),
      ...(error instanceof EmptyLabel ? { emptyLabel: true } : {}),
      unreadable: error.message,
    };
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

/** The flags of an exec; 0 if the field is not an integer. */
export function flagsOf({ flags }: JsonObject): number {
  return typeof flags === "number" && Number.isInteger(flags) ? flags : 0;
}

function readExec(payload: JsonObject): Fields {
  only(payload, ["cmd", "flags", "local_flags"], "the request");
  const { cmd, flags, local_flags: localFlags = 0 } = payload;
  if (!isJsonObject(cmd)) throw new Unreadable("cmd is not an object");
  bits(flags, "flags", EXEC_FLAGS);
  // These flags share the server's stdin, stdout, stderr and process group, or change how the program is found.
  bits(localFlags, "local_flags", 0);
  // flux-core reads "msgchan" where RFC 42 has "msgchans".
  only(cmd, ["cwd", "cmdline", "env", "opts", "channels", "label", "msgchan", "msgchans"], "cmd");
  const { cwd, cmdline, env = {}, opts = {}, channels = [], msgchan = [], msgchans = [] } = cmd;
  for (const list of [msgchan, msgchans]) {
    if (!Array.isArray(list) || list.length > 0) throw new Unreadable("cmd has message channels");
  }
  const tooMany = Array.isArray(channels) && channels.length > MAX_CHANNELS;
  return {
    ...(tooMany ? { forbidden: `cmd has more than ${MAX_CHANNELS} channels` } : {}),
    ...readLaunch(
      texts(cmdline, "cmdline"),
      names(env, "env"),
      cwd === undefined ? {} : { cwd: text(cwd, "cwd") },
    ),
    channels: texts(channels, "channels"),
    opts: names(opts, "opts"),
    ...readLabel(cmd),
  };
}

/**
 * The command that runs, also if env(1) starts it (src/protocol/launcher.ts). Another reading must not be possible, and the program must be
 * the one that the server itself would find: it looks in its own PATH, env(1) in the PATH that it sets. Else env(1) is the command.
 */
function readLaunch(
  cmdline: readonly string[],
  env: readonly string[],
  directory: { cwd?: string },
): Pick<Fields, "argv" | "env" | "cwd"> {
  const launch = readLauncherCommand(cmdline);
  const added = Object.keys(launch?.env ?? {});
  const unlike =
    (launch?.cwd !== undefined && directory.cwd !== undefined) ||
    (added.length > 0 && env.length > 0) ||
    [...env, ...added].includes("PATH");
  if (launch === undefined || unlike) return { argv: cmdline, env, ...directory };
  const { cwd } = launch;
  return { argv: launch.cmdline, env: [...env, ...added], ...(cwd === undefined ? directory : { cwd }) };
}

/** The process that a request names. The server ignores the pid beside a label. */
function readTarget(payload: JsonObject): Fields {
  // The label first: an empty one is refused whatever the pid.
  const label = readLabel(payload);
  return { pid: int32(payload["pid"], "pid"), ...label };
}

function readLabel({ label }: JsonObject): { label?: string } {
  if (label === undefined) return {};
  const wrong = nonEmptyText(label);
  if (label === "") throw new EmptyLabel("label is empty");
  if (wrong) throw new Unreadable(`label ${wrong}`);
  return { label: label as string };
}

function only(object: JsonObject, fields: readonly string[], name: string): void {
  const other = Object.keys(object).find((field) => !fields.includes(field));
  if (other !== undefined) {
    throw new Unreadable(`${name} has the field ${JSON.stringify(other.slice(0, MAX_NAME_SHOWN))}`);
  }
}

function texts(value: unknown, what: string): string[] {
  if (!Array.isArray(value)) throw new Unreadable(`${what} is not an array`);
  return value.map((element) => text(element, what));
}

function names(value: unknown, what: string): string[] {
  if (!isJsonObject(value)) throw new Unreadable(`${what} is not an object`);
  return Object.keys(value).map((name) => text(name, what));
}

/** A string of C: it ends at the first NUL. */
function text(value: unknown, what: string): string {
  if (typeof value === "string" && !value.includes("\0")) return value;
  throw new Unreadable(`${what} is not text`);
}

/** An int of C, which would cut off higher bits. */
function int32(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isInteger(value) && (value | 0) === value) return value;
  throw new Unreadable(`${what} is not an integer`);
}

/** Refuses any bit that `mask` does not have. */
function bits(value: unknown, what: string, mask: number): void {
  if ((int32(value, what) & ~mask) !== 0) throw new Unreadable(`${what} has a bit beyond ${mask}`);
}
