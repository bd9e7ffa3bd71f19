/** JSON payloads in jansson's form (JSON_COMPACT), so that the bytes equal a real broker's. */
import { parseJson, stringifyJson } from "../../src/protocol/json.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Matches an escaped backslash, to step over it, or an escape with a letter among its digits. */
const LETTERED_ESCAPE = /\\\\|\\u00(?:0[bef]|1[a-f])/g;

/** A string payload: it ends in one NUL. */
export function textPayload(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}

/** A JSON payload. JSON.stringify and jansson differ in the case of the digits of `\u001B` alone. */
export function jsonPayload(value: object): Uint8Array {
  const text = stringifyJson(value);
  return textPayload(text.includes("\\u00") ? text.replace(LETTERED_ESCAPE, upperCaseDigits) : text);
}

function upperCaseDigits(sequence: string): string {
  return sequence === "\\\\" ? sequence : `\\u00${sequence.slice(4).toUpperCase()}`;
}

/** The object in a JSON payload, or undefined if it does not hold one (libflux message.c flux_msg_vunpack). */
export function parsePayload(payload: Uint8Array | undefined): object | undefined {
  if (payload?.at(-1) !== 0) return undefined;
  try {
    const value: unknown = parseJson(decoder.decode(payload.subarray(0, payload.indexOf(0))));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
