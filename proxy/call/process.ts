/** What RFC 42 exec and attach answer, checked: a broker's word is data from outside too. */
import { type IoObject, ioBytes } from "../../src/protocol/rfc42.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import { MAX_OUTPUT } from "../flow/stream-output.js";

export type ProcessEvent =
  | { type: "output"; stream: string; pieces: Uint8Array[]; eof: boolean }
  | { type: "credit"; grants: { stream: string; bytes: number }[] }
  /** started or attached. */
  | { type: "runs"; pid: number; label: string | undefined }
  | { type: "stopped" }
  /** finished, and what later RFCs add: passed on as it is. */
  | { type: "other" };

/** What a stream's name has room for in a binary frame, in bytes. */
const MAX_STREAM_NAME = 255;

/** @throws TypeError naming what is wrong with `payload` */
export function readProcessEvent(payload: JsonObject): ProcessEvent {
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

/** Of a command object only the label counts here; the client gets all of it, whatever it is. */
function readRuns({ pid, cmd }: JsonObject): ProcessEvent {
  if (typeof pid !== "number") return { type: "other" };
  const label = isJsonObject(cmd) ? cmd["label"] : undefined;
  return { type: "runs", pid, label: typeof label === "string" && label !== "" ? label : undefined };
}

function readOutput(io: unknown): ProcessEvent {
  if (!isJsonObject(io)) throw new TypeError("output without an I/O object");
  const stream = streamName(io.stream);
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

function readCredit(channels: unknown): ProcessEvent {
  if (!isJsonObject(channels)) throw new TypeError("add-credit without channels");
  const grants = Object.entries(channels).map(([stream, bytes]) => {
    if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0) {
      throw new TypeError("add-credit of what is no number of bytes");
    }
    return { stream: streamName(stream), bytes };
  });
  return { type: "credit", grants };
}

function streamName(name: unknown): string {
  if (
    typeof name !== "string" ||
    name === "" ||
    name.includes("\0") ||
    Buffer.byteLength(name) > MAX_STREAM_NAME
  ) {
    throw new TypeError("stream without a usable name");
  }
  return name;
}

function pieces(bytes: Uint8Array): Uint8Array[] {
  const result: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MAX_OUTPUT) result.push(bytes.subarray(at, at + MAX_OUTPUT));
  return result;
}
