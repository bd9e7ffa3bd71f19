/**
 * Key-value text (RFC 38): `key NUL type value NUL`, in order. Strict: each value has exactly one text, the one that
 * flux-security writes, so that a decoded text encodes to the same bytes.
 */
import { decoder, encoder } from "../protocol/utf8.js";

/** RFC 38's types as JavaScript's. */
export interface KvTypes {
  /** String. */
  s: string;
  /** 64-bit signed integer. */
  i: bigint;
  /** Double, written with six decimals. */
  d: number;
  /** Boolean. */
  b: boolean;
  /** Timestamp, in whole seconds since 1970. */
  t: number;
}

/** RFC 38's letter of a type. */
export type KvType = keyof KvTypes;

/** A value with its type: RFC 38 has no conversions. */
export type KvValue = { [T in KvType]: { readonly type: T; readonly value: KvTypes[T] } }[KvType];

/** Entries in order. */
export type KvMap = ReadonlyMap<string, KvValue>;

/** Not key-value text, or entries that have no such text. This module throws no other error. */
export class KvError extends Error {
  override readonly name = "KvError";
}

/** The largest text in bytes: "an implementation defined limit SHALL be imposed" (RFC 38). */
export const KV_LIMIT = 65_536;

/** 9999-12-31T23:59:59Z, after which ISO 8601 needs more than four digits for the year. */
const MAX_TIMESTAMP = 253_402_300_799;

/** @throws KvError naming the entry that cannot be encoded */
export function encodeKv(entries: Iterable<readonly [string, KvValue]>): Uint8Array {
  const keys = new Set<string>();
  let encoded = "";
  for (const [key, value] of entries) {
    if (key === "") throw new KvError("key is empty");
    if (keys.has(key)) throw new KvError(`key ${name(key)} comes twice`);
    keys.add(key);
    const written = formatKvValue(value);
    if (written === undefined)
      throw new KvError(`value of ${name(key)} cannot be a ${TYPE_NAMES[value.type]}`);
    if (!isPlain(key)) throw new KvError(`key ${name(key)} has a NUL or is not Unicode`);
    encoded += `${key}\0${value.type}${written}\0`;
  }
  const bytes = encoder.encode(encoded);
  if (bytes.length > KV_LIMIT) throw new KvError(`key-value text is over the limit of ${KV_LIMIT} bytes`);
  return bytes;
}

/** @throws KvError naming the fault */
export function decodeKv(bytes: Uint8Array): KvMap {
  if (bytes.length > KV_LIMIT) throw new KvError(`key-value text is over the limit of ${KV_LIMIT} bytes`);
  let decoded: string;
  try {
    decoded = decoder.decode(bytes);
  } catch (cause) {
    throw new KvError("key-value text is not UTF-8", { cause });
  }
  const fields = decoded.split("\0");
  if (fields.pop() !== "") throw new KvError("key-value text does not end with a NUL");
  const entries = new Map<string, KvValue>();
  for (let at = 0; at < fields.length; at += 2) {
    const key = fields[at] as string;
    const field = fields[at + 1];
    if (key === "") throw new KvError("key is empty");
    if (field === undefined) throw new KvError(`key ${name(key)} has no value`);
    if (entries.has(key)) throw new KvError(`key ${name(key)} comes twice`);
    entries.set(key, decodeValue(key, field));
  }
  return entries;
}

const TYPE_NAMES = { s: "string", i: "64-bit integer", d: "double", b: "boolean", t: "timestamp" } as const;

function decodeValue(key: string, field: string): KvValue {
  const type = field.charAt(0);
  const written = field.slice(1);
  if (!Object.hasOwn(TYPE_NAMES, type)) throw new KvError(`value of ${name(key)} has no known type`);
  const value = parse(type as KvType, written);
  // "+1", "01", "1e3", February 30: texts that parse, but differ from the one that flux-security writes.
  if (value === undefined || formatKvValue(value) !== written) {
    throw new KvError(`value of ${name(key)} is not a ${TYPE_NAMES[type as KvType]}`);
  }
  return value;
}

function parse(type: KvType, written: string): KvValue | undefined {
  switch (type) {
    case "s":
      return { type, value: written };
    case "i":
      return /^-?\d{1,19}$/.test(written) ? { type, value: BigInt(written) } : undefined;
    case "d":
      return { type, value: Number(written.replace("inf", "Infinity")) };
    case "b":
      return { type, value: written === "true" };
    case "t":
      return { type, value: Date.parse(written) / 1000 };
  }
}

/** A value's text; undefined if the value has no text. */
export function formatKvValue({ type, value }: KvValue): string | undefined {
  switch (type) {
    case "s":
      return isPlain(value) ? value : undefined;
    case "i":
      return BigInt.asIntN(64, value) === value ? `${value}` : undefined;
    case "d":
      return formatDouble(value);
    case "b":
      return `${value}`;
    case "t":
      if (!Number.isInteger(value) || value < 0 || value > MAX_TIMESTAMP) return undefined;
      return new Date(value * 1000).toISOString().replace(".000Z", "Z");
  }
}

/** As printf(3) with "%.6f". NaN has no text: RFC 38 does not specify its sign. */
function formatDouble(value: number): string | undefined {
  if (Number.isNaN(value)) return undefined;
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return `${sign}inf`;
  // Above this, toFixed writes an exponent. Such a number is an integer.
  if (size >= 1e21) return `${sign}${BigInt(size)}.000000`;
  const rounded = size.toFixed(6);
  // Only odd multiples of 1/128 are half way between two texts. toFixed rounds up, printf to even.
  const last = Number(rounded.at(-1));
  const even = (size * 128) % 2 === 1 && last % 2 === 1 ? `${rounded.slice(0, -1)}${last - 1}` : rounded;
  return sign + even;
}

/** A NUL would end the field, and UTF-8 cannot encode half a surrogate pair. */
function isPlain(value: string): boolean {
  return !/\0|\p{Surrogate}/u.test(value);
}

/** Cut and escaped, so that a hostile key does no harm in a log. */
function name(key: string): string {
  return JSON.stringify(key.slice(0, 64));
}
