/** What arrives is `unknown` until it has been held against a shape, once, at the edge. */
import { CLOSE, MAX_ID, ProtocolError } from "./messages.js";

type Json = Record<string, unknown>;

/** Looks at a field. @returns what is wrong with it, if anything is */
export type Check = (value: unknown) => string | false;

/** The fields of a message beside its type. */
export type Shape = Readonly<Record<string, Check>>;

type OfType<M, T> = M extends { type: unknown } ? (T extends M["type"] ? M : never) : never;

/** The shapes of all messages of a union, none of them without one of its fields. */
export type Shapes<M extends { type: string }> = {
  readonly [T in M["type"]]: { readonly [F in Exclude<keyof OfType<M, T>, "type">]-?: Check };
};

export const string: Check = (value) => typeof value !== "string" && "is not a string";

export const name: Check = (value) =>
  string(value) || (/^$|\0/.test(value as string) && "is empty or has a NUL");

export const object: Check = (value) => !isObject(value) && "is not an object";

/** An integer of `min` to `max`. */
export function range(value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): string | false {
  const integer = Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return !integer && `is not an integer of ${min} to ${max}`;
}

export const natural: Check = (value) => range(value, 0);
export const positive: Check = (value) => range(value, 1);
export const id: Check = (value) => range(value, 1, MAX_ID);
export const rank: Check = (value) => range(value, 0, 0xfffffffe);

/** What may be absent. */
export function optional(value: unknown, check: Check): string | false {
  return value !== undefined && check(value);
}

/**
 * Reads a message of one of `shapes`, without the fields that its shape does not have.
 * @param unknown what is wrong if it is of no such type
 * @throws ProtocolError that names what is wrong
 */
export function read(text: string, shapes: Readonly<Record<string, Shape>>, unknown?: string): object {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (cause) {
    throw malformed("message is not JSON", cause);
  }
  if (!isObject(message)) throw malformed("message is not an object");
  const { type } = message;
  if (typeof type !== "string") throw malformed("type is not a string");
  const shape = Object.hasOwn(shapes, type) && shapes[type];
  if (!shape) throw malformed(unknown ?? `message type ${JSON.stringify(type)} is not known`);
  return { type, ...pick(message, shape) };
}

/** The fields of `object` that `shape` has. @throws ProtocolError that names the one that is wrong */
export function pick(object: Json, shape: Shape): Json {
  const picked: Json = {};
  for (const [field, check] of Object.entries(shape)) {
    const wrong = check(object[field]);
    if (wrong) throw malformed(`${field} ${wrong}`);
    if (object[field] !== undefined) picked[field] = object[field];
  }
  return picked;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(CLOSE.malformed, what, { cause });
}
