/** What a value has to be, whether a user gives it or a message has it. */
import { idsetRanges } from "./idset.js";
import { MAX_ID, MAX_NAME, MAX_SEQ, type Overflow } from "./messages.js";
import { encoder } from "./utf8.js";

/** Looks at a value. @returns what is wrong with it, if anything is */
export type Check = (value: unknown) => string | false;

/** @throws TypeError if `check` finds something wrong with the argument that is called `what` */
export function demand(what: string, value: unknown, check: Check): void {
  const wrong = check(value);
  if (wrong) throw new TypeError(`${what} ${wrong}`);
}

/** What may be absent. */
export function optional(value: unknown, check: Check): string | false {
  return value !== undefined && check(value);
}

export const string: Check = (value) => typeof value !== "string" && "is not a string";

/** A string of C. */
export const text: Check = (value) =>
  string(value) || ((value as string).includes("\0") && "has a NUL character");

export const boolean: Check = (value) => typeof value !== "boolean" && "is not a boolean";

export const name: Check = (value) => text(value) || (value === "" && "is empty");

/** The name of a stream, which a binary frame has to carry. */
export const streamName: Check = (value) =>
  name(value) || (encoder.encode(value as string).length > MAX_NAME && `is longer than ${MAX_NAME} bytes`);

export const object: Check = (value) => !isObject(value) && "is not an object";

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An integer of `min` to `max`. */
export function range(value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): string | false {
  const integer = Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return !integer && `is not an integer of ${min} to ${max}`;
}

export const natural: Check = (value) => range(value, 0);
export const positive: Check = (value) => range(value, 1);
export const seq: Check = (value) => range(value, 1, MAX_SEQ);
/** A number of a message, or 0 for none. */
export const lastSeq: Check = (value) => range(value, 0, MAX_SEQ);
export const id: Check = (value) => range(value, 1, MAX_ID);
const positiveInt32: Check = (value) => range(value, 1, 0x7fffffff);
/** A 32-bit `pid_t`: a server in C cuts off higher bits. */
export const pid = positiveInt32;
/** The range that a timer of every runtime takes. */
export const milliseconds = positiveInt32;
/** {@link milliseconds}, or 0. */
export const delay: Check = (value) => range(value, 0, 0x7fffffff);
export const rank: Check = (value) => range(value, 0, 0xfffffffe);

/** At least one rank. */
export const idset: Check = (value) => {
  try {
    return string(value) || (idsetRanges(value as string).length === 0 && "is an empty idset");
  } catch {
    return "is not an idset";
  }
};

/** Where a request goes. */
export const nodeid: Check = (value) => {
  if (value === "any" || value === "all") return false;
  try {
    return string(value) || (idsetRanges(value as string).length === 0 && "is an empty idset");
  } catch {
    return 'is not "any", "all" or an idset';
  }
};

export const overflow: Check = (value) =>
  !["stop", "gap", "kill"].includes(value as Overflow) && 'is not "stop", "gap" or "kill"';

/** Whether a service is a subprocess server by its name: a broker's, or a job shell's. */
export function isSubprocessService(service: string): boolean {
  return service === "rexec" || service === "sdexec" || service.endsWith(".rexec");
}
