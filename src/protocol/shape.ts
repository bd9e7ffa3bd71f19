/** Messages as shapes: an arriving value is `unknown` until it was checked against one, once, at the edge. */
import { type Check, isObject, object } from "./checks.js";
import { parseJson } from "./json.js";
import { malformed } from "./protocol-error.js";

type Json = Record<string, unknown>;

/** The fields of a message beside its type. */
export type Shape = Readonly<Record<string, Check>>;

type OfType<M, T> = M extends { type: unknown } ? (T extends M["type"] ? M : never) : never;

/** The shapes of all messages of a union. The compiler finds a missing field. */
export type Shapes<M extends { type: string }> = {
  readonly [T in M["type"]]: { readonly [F in Exclude<keyof OfType<M, T>, "type">]-?: Check };
};

/**
 * Reads a message of one of `shapes`. Fields that its shape does not have are left out.
 * @param unknown the text of the error for another type
 * @throws ProtocolError naming the fault
 */
export function read(text: string, shapes: Readonly<Record<string, Shape>>, unknown?: string): object {
  let message: unknown;
  try {
    message = parseJson(text);
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

/** The fields of `object` that `shape` has. @throws ProtocolError naming the field that is not valid */
export function pick(object: Json, shape: Shape): Json {
  const picked: Json = {};
  for (const [field, check] of Object.entries(shape)) {
    const wrong = check(object[field]);
    if (wrong) throw malformed(`${field} ${wrong}`);
    if (object[field] !== undefined) picked[field] = object[field];
  }
  return picked;
}

/** The fault of a value that must be an object. @throws ProtocolError naming the field of it that is not valid */
export function nested(value: unknown, shape: Shape): string | false {
  const wrong = object(value);
  if (!wrong) pick(value as Json, shape);
  return wrong;
}
