/**
 * Binary frames: process bytes, without base64 and without a copy on the receiving side. PROTOCOL.md, "Binary frames".
 *
 *     0   u8  kind, 1
 *     1   u8  length n of the stream's name
 *     2  u48  seq
 *     8  u32  id
 *    12  u32  rank
 *    16    n  the stream's name, UTF-8
 *  16+n       data
 */
import { MAX_NAME } from "./messages.js";
import { malformed } from "./protocol-error.js";
import { decoder, encoder } from "./utf8.js";

const KIND_DATA = 1;
const HEADER = 16;

/** The rank of a frame from the client: every rank of the request. */
export const ALL_RANKS = 0xffffffff;

/** Process bytes: input or output. */
export interface DataFrame {
  /** No field of the frame: it tells a decoded frame from a JSON message. */
  type: "data";
  /** The number of the message. */
  seq: number;
  /** The first id of the request. */
  id: number;
  /** The rank of output; {@link ALL_RANKS} for input. */
  rank: number;
  /** "stdin", "stdout", "stderr" or the name of an auxiliary channel; at most 255 bytes of UTF-8. */
  stream: string;
  /** The bytes. */
  data: Uint8Array;
}

/** Encodes a binary frame. @throws TypeError if the name of the stream is empty or over {@link MAX_NAME} bytes */
export function encodeDataFrame(frame: Omit<DataFrame, "type">): Uint8Array<ArrayBuffer> {
  const name = encoder.encode(frame.stream);
  if (name.length === 0 || name.length > MAX_NAME) {
    throw new TypeError(`the name of a stream has 1 to ${MAX_NAME} bytes, not ${name.length}`);
  }
  const bytes = new Uint8Array(HEADER + name.length + frame.data.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, KIND_DATA);
  view.setUint8(1, name.length);
  view.setUint16(2, Math.floor(frame.seq / 2 ** 32));
  view.setUint32(4, frame.seq >>> 0);
  view.setUint32(8, frame.id);
  view.setUint32(12, frame.rank);
  bytes.set(name, HEADER);
  bytes.set(frame.data, HEADER + name.length);
  return bytes;
}

/** Decodes a binary frame; `data` is a view of `bytes`. @throws ProtocolError */
export function decodeDataFrame(bytes: Uint8Array): DataFrame {
  const dataAt = HEADER + (bytes[1] ?? 0);
  if (bytes.length < dataAt) throw malformed("binary frame ends before its data");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint8(0) !== KIND_DATA) throw malformed(`binary frame of unknown kind ${view.getUint8(0)}`);
  let stream: string;
  try {
    stream = decoder.decode(bytes.subarray(HEADER, dataAt));
  } catch (cause) {
    throw malformed("the stream's name is not UTF-8", cause);
  }
  if (stream === "" || stream.includes("\0")) throw malformed("binary frame without a stream's name");
  return {
    type: "data",
    seq: view.getUint16(2) * 2 ** 32 + view.getUint32(4),
    id: view.getUint32(8),
    rank: view.getUint32(12),
    stream,
    data: bytes.subarray(dataAt),
  };
}
