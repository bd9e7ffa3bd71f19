/** Payloads of Flux messages (RFC 6): JSON objects and error texts, each with one NUL at the end. */
import { FluxError } from "../../src/errors.js";
import { parseJson, stringifyJson } from "../../src/protocol/json.js";
import { structureFault } from "./structure.js";

/** A JSON object as it came from a peer: nothing is known of its fields. */
export type JsonObject = Record<string, unknown>;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientText = new TextDecoder();

/** The most of an error's text that is kept, in bytes. Flux's own are a line. */
const MAX_ERROR_TEXT = 8192;

/** `object` as a payload. @throws RangeError if it is nested too deeply to be written as JSON */
export function encodePayload(object: object): Uint8Array {
  return Buffer.from(`${stringifyJson(object)}\0`);
}

/** The JSON object of a response's payload. @throws FluxError EPROTO if it is not one, or would take far more memory than its bytes */
export function decodePayload(payload: Uint8Array): JsonObject {
  const json = withoutNul(payload);
  const fault = structureFault(json);
  if (fault !== undefined) throw new FluxError("EPROTO", `the response's payload ${fault}`);
  let value: unknown;
  try {
    value = parseJson(text.decode(json));
  } catch (cause) {
    throw new FluxError("EPROTO", "the response's payload is not JSON", { cause });
  }
  if (!isJsonObject(value)) throw new FluxError("EPROTO", "the response's payload is not a JSON object");
  return value;
}

/** The text of an error response, its beginning if it is long, "" if it has none. */
export function decodeErrorText(payload: Uint8Array | undefined): string {
  if (payload === undefined) return "";
  if (payload.length <= MAX_ERROR_TEXT) return lenientText.decode(withoutNul(payload));
  return `${lenientText.decode(payload.subarray(0, MAX_ERROR_TEXT))}…`;
}

/** True if a value is a JSON object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function withoutNul(payload: Uint8Array): Uint8Array {
  return payload.at(-1) === 0 ? payload.subarray(0, -1) : payload;
}
