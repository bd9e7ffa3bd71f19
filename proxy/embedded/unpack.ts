/** Typed reading of JSON objects. Errors have the words of jansson's json_unpack_ex. */

/** The type of a key's value. A question mark marks a key that may be absent. */
type Kind = "integer" | "pid" | "string" | "any" | "integer?" | "string?" | "any?";
type Value<K extends Kind> = K extends "integer" | "pid"
  ? number
  : K extends "string"
    ? string
    : K extends "any"
      ? unknown
      : K extends "integer?"
        ? number | undefined
        : K extends "string?"
          ? string | undefined
          : unknown;

/** Keys and the types of their values, in the order of the checks. */
export type Format = Record<string, Kind>;
/** The values of a format's keys. */
export type Unpacked<F extends Format> = { [K in keyof F]: Value<F[K]> };

/** A JSON value does not match its format. */
export class UnpackError extends Error {
  override readonly name = "UnpackError";
}

/**
 * The values of `format`'s keys in `object`, checked in the order of `format`.
 * @throws UnpackError that names the first missing key or wrong type
 */
export function unpack<F extends Format>(object: unknown, format: F): Unpacked<F> {
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw new UnpackError(`Expected object, got ${jsonType(object)}`);
  }
  const values: Record<string, unknown> = {};
  for (const [key, kind] of Object.entries(format)) {
    // hasOwn: a key such as "constructor" must not be found on the prototype
    if (Object.hasOwn(object, key)) values[key] = convert((object as Record<string, unknown>)[key], kind);
    else if (!kind.endsWith("?")) throw new UnpackError(`Object item not found: ${key}`);
  }
  return values as Unpacked<F>;
}

function convert(value: unknown, kind: Kind): unknown {
  switch (kind) {
    case "integer":
    case "integer?":
      if (!Number.isInteger(value)) throw new UnpackError(`Expected integer, got ${jsonType(value)}`);
      return (value as number) | 0; // a C int
    case "pid":
      if (!Number.isInteger(value)) throw new UnpackError(`Expected integer, got ${jsonType(value)}`);
      return value; // not as in C: cut to 32 bits it would name another process
    case "string":
    case "string?":
      if (typeof value !== "string") throw new UnpackError(`Expected string, got ${jsonType(value)}`);
      return cString(value);
    default:
      return value;
  }
}

/** The part of a text before its first NUL, where C ends it. */
export function cString(text: string): string {
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function jsonType(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "real";
  if (typeof value === "boolean") return String(value);
  return typeof value;
}
