/** What a request asks for, read before anything of it is sent: from its fields, or from what the client signed. */
import { isSubprocessService } from "../../src/protocol/checks.js";
import type { Request } from "../../src/protocol/messages.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import { readSigned, readSignedList, SignedError } from "./signed.js";

/** A watch is a list that is streaming: the proxy asks for it again and again. */
export type Operation = "exec" | "attach" | "write" | "kill" | "wait" | "list" | "watch" | "rpc";

/** Those that are methods of a subprocess server. */
type Method = Exclude<Operation, "rpc" | "watch">;

export interface Asked {
  readonly operation: Operation;
  readonly service: string;
  readonly ranks: readonly number[];
  /** Of an exec: whether the process outlives the session. */
  readonly background: boolean;
  /** RFC 42 flags of an exec. */
  readonly flags: number;
  readonly pid?: number;
  /** Never empty: a server may take "" for none. */
  readonly label?: string;
  readonly argv?: readonly string[];
  /** The names alone. */
  readonly env?: readonly string[];
  readonly signum?: number;
  /** The userid that the client has signed as. */
  readonly signer?: number;
  /** What of the above cannot be told, so that nobody can say what the server will make of it. */
  readonly unreadable?: string;
}

type Fields = Partial<Pick<Asked, "pid" | "label" | "argv" | "env" | "signum" | "unreadable">>;

const READERS: Readonly<Record<Method, (payload: JsonObject) => Fields>> = {
  exec: readExec,
  attach: readTarget,
  kill: (payload) => ({ ...readTarget(payload), signum: int32(payload["signum"], "signum") }),
  wait: readTarget,
  list: () => ({}),
  write: () => ({}),
};

/** A field that a C program might read in another way than we do. */
class Unreadable extends Error {}

/** Whether the client has signed a request. */
export function isSigned(payload: JsonObject): boolean {
  return Object.hasOwn(payload, "signature");
}

export function readRequest(request: Request, ranks: readonly number[]): Asked {
  const { topic, streaming } = request;
  const { service, method } = splitTopic(topic);
  const operation = operationOf(service, method, streaming);
  const common = { operation, service, ranks, background: operation === "exec" && !streaming };
  if (operation === "rpc") return { ...common, flags: 0 };
  const [verb, readSignature] =
    operation === "watch" ? (["list", readSignedList] as const) : ([operation, readSigned] as const);
  if (!isSigned(request.payload)) {
    return { ...common, flags: flagsOf(request.payload), ...read(verb, request.payload) };
  }
  try {
    const { userid, payload } = readSignature(request.payload["signature"], topic);
    return { ...common, signer: userid, flags: flagsOf(payload), ...read(verb, payload) };
  } catch (error) {
    if (!(error instanceof SignedError)) throw error;
    return { ...common, signer: -1, flags: 0, unreadable: error.message };
  }
}

/** Whether it is the proxy that is to answer. */
export function isWatch({ topic, streaming }: Request): boolean {
  const { service, method } = splitTopic(topic);
  return operationOf(service, method, streaming) === "watch";
}

function splitTopic(topic: string): { service: string; method: string } {
  const dot = topic.lastIndexOf(".");
  return dot < 0
    ? { service: topic, method: "" }
    : { service: topic.slice(0, dot), method: topic.slice(dot + 1) };
}

function operationOf(service: string, method: string, streaming: boolean): Operation {
  if (!isSubprocessService(service) || !Object.hasOwn(READERS, method)) return "rpc";
  return method === "list" && streaming ? "watch" : (method as Method);
}

function read(operation: Method, payload: JsonObject): Fields {
  try {
    return READERS[operation](payload);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { unreadable: error.message };
  }
}

function flagsOf({ flags }: JsonObject): number {
  return typeof flags === "number" && Number.isInteger(flags) ? flags : 0;
}

function readExec({ cmd }: JsonObject): Fields {
  if (!isJsonObject(cmd)) throw new Unreadable("cmd is not an object");
  const { cmdline, env = {}, label } = cmd;
  if (!Array.isArray(cmdline)) throw new Unreadable("cmdline is not an array");
  if (!isJsonObject(env)) throw new Unreadable("env is not an object");
  return {
    argv: cmdline.map((argument) => text(argument, "cmdline")),
    env: Object.keys(env).map((name) => text(name, "env")),
    ...labelField(label),
  };
}

function readTarget({ pid, label }: JsonObject): Fields {
  return { pid: int32(pid, "pid"), ...labelField(label) };
}

function labelField(label: unknown): { label?: string } {
  if (label === undefined || text(label, "label") === "") return {};
  return { label: label as string };
}

/** C sees no further than a NUL. */
function text(value: unknown, what: string): string {
  if (typeof value === "string" && !value.includes("\0")) return value;
  throw new Unreadable(`${what} is not text`);
}

/** C would cut off what is above. */
function int32(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isInteger(value) && (value | 0) === value) return value;
  throw new Unreadable(`${what} is not an integer`);
}
