/** The kinds of values that options have: each with its check, its words, and the form that it has as the value of a flag. */
import * as v from "valibot";

/** The value of a flag: text, which may have another unit. */
export interface FlagValue<T> {
  /** The value's description, such as "an integer of 0 to 65535". */
  readonly expected: string;
  /** @returns a value for the kind's schema to check */
  read(text: string): unknown;
  write(value: T): string;
}

/** A kind of values. */
export interface Kind<T> {
  readonly schema: v.GenericSchema<unknown, T>;
  /** The value's description, such as "an integer of 0 to 65535". Error messages and documents have it. */
  readonly expected: string;
  /** Absent: the command line reads the value in a way of its own. */
  readonly flagValue?: FlagValue<T>;
}

/** The range of Node's timers, in milliseconds (node:timers, setTimeout). */
const TIMER_LIMIT = 2 ** 31;

/** A text that is not empty. */
export const string: Kind<string> = {
  schema: v.pipe(v.string(), v.nonEmpty()),
  expected: "a string of 1 character or more",
  flagValue: {
    expected: "a string of 1 character or more",
    read: (value) => value,
    write: (value) => value,
  },
};

/** True or false. */
export const boolean: Kind<boolean> = { schema: v.boolean(), expected: "a boolean" };

/** @param max absent: no limit */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
  const expected = `an integer of ${range}`;
  return {
    schema: v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max)),
    expected,
    flagValue: { expected, read: decimal, write: String },
  };
}

/** A time that must not be 0. */
export const interval: Kind<number> = {
  schema: v.pipe(v.number(), v.gtValue(0), v.ltValue(TIMER_LIMIT)),
  expected: `a number of milliseconds above 0 and below ${TIMER_LIMIT}`,
  flagValue: seconds(1),
};

/** A time that may be 0. @param max in milliseconds, below {@link TIMER_LIMIT}: a longer timer would fire at once */
export function duration(max: number): Kind<number> {
  return {
    schema: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max)),
    expected: `an integer of milliseconds, 0 to ${max}`,
    flagValue: seconds(0, max),
  };
}

/** A time as the value of a flag. @param max in milliseconds */
function seconds(min: number, max = TIMER_LIMIT): FlagValue<number> {
  return {
    expected: `an integer of seconds, ${min} to ${Math.floor(max / 1000)}`,
    read: (value) => decimal(value) * 1000,
    write: (value) => String(value / 1000),
  };
}

/** @param accepts the check, beside those that a user of the value makes */
export function other<T>(expected: string, accepts: (value: unknown) => boolean = () => true): Kind<T> {
  return { schema: v.custom<T>(accepts), expected };
}

/** NaN if `value` has anything but digits: no kind accepts that. */
function decimal(value: string): number {
  return /^\d+$/.test(value) ? Number(value) : Number.NaN;
}
