/** Checks of values, of arguments and of message fields alike. */
import { idsetRanges } from "./idset.js";
import { MAX_ID, MAX_NAME, MAX_SEQ, type Overflow } from "./messages.js";
import { encoder } from "./utf8.js";

/** Checks a value. @returns the fault, such as "is empty"; false if it is valid */
export type Check = (value: unknown) => string | false;

/** Checks an argument with the name `what`. @throws TypeError with its name and the fault */
export function demand(what: string, value: unknown, check: Check): void {
  const wrong = check(value);
  if (wrong) throw new TypeError(`${what} ${wrong}`);
}

/** The fault of a value that may be absent. */
export function optional(value: unknown, check: Check): string | false {
  return value !== undefined && check(value);
}

/** Any string. */
export const string: Check = (value) => typeof value !== "string" && "is not a string";

/** A string without NUL, as C has it. */
export const text: Check = (value) =>
  string(value) || ((value as string).includes("\0") && "has a NUL character");

/** A boolean. */
export const boolean: Check = (value) => typeof value !== "boolean" && "is not a boolean";

/** A function. */
export const func: Check = (value) => typeof value !== "function" && "is not a function";

/** An AbortSignal, of any realm. */
export const abortSignal: Check = (value) =>
  typeof (value as AbortSignal | null)?.addEventListener !== "function" && "is not an AbortSignal";

/** A string without NUL, not empty. */
export const name: Check = (value) => text(value) || (value === "" && "is empty");

/** The name of a stream, short enough for a binary frame. */
export const streamName: Check = (value) =>
  name(value) || (encoder.encode(value as string).length > MAX_NAME && `is longer than ${MAX_NAME} bytes`);

/** A JSON object. */
export const object: Check = (value) => !isObject(value) && "is not an object";

/** True for an object that is neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The fault of a value that must be an integer of `min` to `max`. */
export function range(value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): string | false {
  const integer = Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return !integer && `is not an integer of ${min} to ${max}`;
}

/** An integer, 0 or more. */
export const natural: Check = (value) => range(value, 0);
/** An integer, 1 or more. */
export const positive: Check = (value) => range(value, 1);
/** The number of a message. */
export const seq: Check = (value) => range(value, 1, MAX_SEQ);
/** The number of a message, or 0 before the first. */
export const lastSeq: Check = (value) => range(value, 0, MAX_SEQ);
/** The id of a request. */
export const id: Check = (value) => range(value, 1, MAX_ID);
const positiveInt32: Check = (value) => range(value, 1, 0x7fffffff);
/** A process id, in the 32 bits of `pid_t`: a server in C cuts off higher bits. */
export const pid = positiveInt32;
/** A positive time that a timer of every runtime takes. */
export const milliseconds = positiveInt32;
/** As {@link milliseconds}, or Infinity for no limit. */
export const timeLimit: Check = (value) => value !== Number.POSITIVE_INFINITY && milliseconds(value);
/** As {@link milliseconds}, or 0. */
export const delay: Check = (value) => range(value, 0, 0x7fffffff);
/** A broker rank: u32 on the wire, where 0xffffffff is "any". */
export const rank: Check = (value) => range(value, 0, 0xfffffffe);

/** An RFC 22 idset of at least one rank. */
export const idset: Check = (value) => {
  try {
    return string(value) || (idsetRanges(value as string).length === 0 && "is an empty idset");
  } catch {
    return "is not an idset";
  }
};

/** The ranks of a request. */
export const nodeid: Check = (value) => {
  if (value === "any" || value === "all") return false;
  try {
    return string(value) || (idsetRanges(value as string).length === 0 && "is an empty idset");
  } catch {
    return 'is not "any", "all" or an idset';
  }
};

/** An {@link Overflow}. */
export const overflow: Check = (value) =>
  !["stop", "gap", "kill"].includes(value as Overflow) && 'is not "stop", "gap" or "kill"';

/** True if a service is a subprocess server by its name: a broker's, or a job shell's. */
export function isSubprocessService(service: string): boolean {
  return service === "rexec" || service === "sdexec" || service.endsWith(".rexec");
}
