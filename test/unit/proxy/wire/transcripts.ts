/** The frames that were recorded of a real broker, as bytes and as what they mean. */
import { readdirSync, readFileSync } from "node:fs";
import { FLAG, type Message } from "../../../../proxy/wire/message.js";

const DIRECTORY = new URL("../../../vectors/transcripts/", import.meta.url);

interface Entry {
  base64?: string;
  what?: string;
  message?: Record<string, unknown> & {
    flags: (keyof typeof FLAG)[];
    payload?: unknown;
    payloadText?: string;
  };
}

export interface RecordedFrame {
  bytes: Uint8Array;
  /** The message with its flags by name and its payload as JSON or text. */
  meaning: Record<string, unknown>;
}

/** The frames of each conversation, both directions in the order of the recording. */
export const transcripts: { name: string; frames: RecordedFrame[] }[] = readdirSync(DIRECTORY)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name, frames: framesOf(name) }));

function framesOf(name: string): RecordedFrame[] {
  const { frames } = JSON.parse(readFileSync(new URL(name, DIRECTORY), "utf8")) as { frames: Entry[] };
  return frames.flatMap(({ base64, message }) =>
    base64 !== undefined && message
      ? [{ bytes: Uint8Array.from(Buffer.from(base64, "base64")), meaning: message }]
      : [],
  );
}

/** A decoded message in the terms of the recordings. */
export function meaning(message: Message): Record<string, unknown> {
  const { flags, routes, payload, topic, ...header } = message;
  const names = (Object.keys(FLAG) as (keyof typeof FLAG)[]).filter((name) => flags & FLAG[name]);
  const text = payload && Buffer.from(payload).toString();
  const content = text?.startsWith("{")
    ? { payload: JSON.parse(text.slice(0, -1)) as unknown }
    : { payloadText: text };
  return {
    ...header,
    flags: names,
    ...(topic === undefined ? {} : { topic }),
    ...(text === undefined ? {} : content),
  };
}
