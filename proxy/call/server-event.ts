/** The answers of a server to RFC 42 exec and attach. They are checked, since a broker's data is from outside too. */
import { streamName } from "../../src/protocol/checks.js";
import { type IoObject, ioBytes } from "../../src/protocol/rfc42.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import { MAX_OUTPUT } from "../flow/stream-output.js";

/** A checked answer. */
export type ServerEvent =
  | { type: "output"; stream: string; pieces: Uint8Array[]; eof: boolean }
  | { type: "credit"; grants: { stream: string; bytes: number }[] }
  /** started or attached. */
  | { type: "runs"; pid: number; label: string | undefined }
  | { type: "stopped" }
  /** `finished`, and any type that a later RFC may add: passed on unchanged. */
  | { type: "other" };

/** Reads an answer. @throws TypeError that names the fault */
export function readServerEvent(payload: JsonObject): ServerEvent {
  switch (payload.type) {
    case "output":
      return readOutput(payload.io);
    case "add-credit":
      return readCredit(payload.channels);
    case "started":
    case "attached":
      return readRuns(payload);
    case "stopped":
      return { type: "stopped" };
    default:
      return { type: "other" };
  }
}

/** Of the command object, the proxy reads the label; the client gets the whole object unchecked. */
function readRuns({ pid, cmd }: JsonObject): ServerEvent {
  if (typeof pid !== "number") return { type: "other" };
  const label = isJsonObject(cmd) ? cmd["label"] : undefined;
  return { type: "runs", pid, label: typeof label === "string" && label !== "" ? label : undefined };
}

function readOutput(io: unknown): ServerEvent {
  if (!isJsonObject(io)) throw new TypeError("output without an I/O object");
  const stream = readStreamName(io.stream);
  const { data, encoding, eof = false } = io;
  if (data !== undefined && typeof data !== "string")
    throw new TypeError("I/O object's data is not a string");
  if (encoding !== undefined && typeof encoding !== "string") {
    throw new TypeError("I/O object's encoding is not a string");
  }
  if (typeof eof !== "boolean") throw new TypeError("I/O object's eof is not a boolean");
  const object: IoObject = { stream, rank: "" };
  if (data !== undefined) object.data = data;
  if (encoding !== undefined) object.encoding = encoding;
  return { type: "output", stream, pieces: pieces(ioBytes(object)), eof };
}

function readCredit(channels: unknown): ServerEvent {
  if (!isJsonObject(channels)) throw new TypeError("add-credit without channels");
  const grants = Object.entries(channels).map(([stream, bytes]) => {
    if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0) {
      throw new TypeError("add-credit of what is no number of bytes");
    }
    return { stream: readStreamName(stream), bytes };
  });
  return { type: "credit", grants };
}

function readStreamName(name: unknown): string {
  if (streamName(name)) throw new TypeError("stream without a usable name");
  return name as string;
}

function pieces(bytes: Uint8Array): Uint8Array[] {
  const result: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MAX_OUTPUT) result.push(bytes.subarray(at, at + MAX_OUTPUT));
  return result;
}
