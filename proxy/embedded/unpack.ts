/** Typed reading of JSON objects, with the words of jansson's json_unpack_ex where a value is not as expected. */

/** What a key must hold; a question mark says that the key may be absent. */
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

/** Keys and what they must hold, in the order that they are checked. */
export type Format = Record<string, Kind>;
export type Unpacked<F extends Format> = { [K in keyof F]: Value<F[K]> };

/** A JSON value that is not of the shape asked for. */
export class UnpackError extends Error {
  override readonly name = "UnpackError";
}

/**
 * The values of `format`'s keys in `object`, checked in the order of `format`.
 * @throws UnpackError naming the first that is missing or of another type
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
      return value; // not as in C: cut to 32 bits it would be another process's
    case "string":
    case "string?":
      if (typeof value !== "string") throw new UnpackError(`Expected string, got ${jsonType(value)}`);
      return cString(value);
    default:
      return value;
  }
}

/** The part of a text before its first NUL: all that C sees of it. */
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
