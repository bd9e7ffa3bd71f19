/** Frames on a UNIX stream socket: magic, length, body. Incremental and pure; RFC 3 "Message Framing and Security". */
import { decodeMessage, encodeMessage, type Message, WireError } from "./message.js";

/** 0xffee0012 in the order of the broker's host, which is little endian wherever Node and Flux both run. */
const MAGIC = Uint8Array.of(0x12, 0x00, 0xee, 0xff);
const PREFIX = 8;

/** The largest body that a decoder accepts by default, in bytes. */
export const DEFAULT_LIMIT = 64 * 1024 * 1024;

/** A frame in this many chunks comes in small ones, each of which costs more than its bytes: later small chunks are copied together. */
const MANY_CHUNKS = 16;
const SMALL_CHUNK = 4096;
const TAIL = 64 * 1024;

/** Encodes a message with its frame. The length counts the body alone, as flux-core does and RFC 3 does not. */
export function encodeFrame(message: Message): Uint8Array {
  const frame = encodeMessage(message, PREFIX);
  frame.set(MAGIC);
  new DataView(frame.buffer).setUint32(4, frame.length - PREFIX);
  return frame;
}

/**
 * Cuts a byte stream into messages. It holds at most one incomplete frame, in the chunks that it came in, with small ones copied
 * together. So it takes memory when bytes arrive, and not when a length is announced.
 *
 * After a fault the next frame's beginning is unknown, so the decoder throws from then on.
 */
export class FrameDecoder {
  #chunks: Uint8Array[] = [];
  /** Small chunks are copied here. If it is in use, the last of `#chunks` is its used part. */
  #tail = new Uint8Array(0);
  #used = 0;
  #held = 0;
  #needed = PREFIX;
  #failure: WireError | undefined;
  readonly #limit: number;

  /** @param limit the largest body in bytes; a longer one is refused at its length */
  constructor(limit = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  /** The bytes of the incomplete frame that are held. */
  get held(): number {
    return this.#held;
  }

  /**
   * The messages that `chunk` completes, in order.
   * @throws WireError after the messages before the fault were yielded
   */
  *push(chunk: Uint8Array): Generator<Message, void, void> {
    if (this.#failure) throw this.#failure;
    if (chunk.length > 0) {
      this.#append(chunk);
      this.#held += chunk.length;
    }
    try {
      while (this.#held >= this.#needed) {
        const bodyLength = this.#bodyLength();
        this.#needed = PREFIX + bodyLength;
        if (this.#held < this.#needed) break;
        this.#take(PREFIX);
        const body = this.#take(bodyLength);
        this.#needed = PREFIX;
        yield decodeMessage(body);
      }
    } catch (error) {
      if (error instanceof WireError) {
        this.#failure = error;
        this.#chunks = [];
        this.#held = 0;
      }
      throw error;
    }
  }

  #append(chunk: Uint8Array): void {
    const last = this.#chunks.at(-1);
    if (last === undefined || this.#chunks.length < MANY_CHUNKS || chunk.length > SMALL_CHUNK) {
      this.#chunks.push(chunk);
      return;
    }
    const end = last.byteOffset + last.length;
    const isTail = last.buffer === this.#tail.buffer && end === this.#used;
    let from = last.byteOffset;
    if (!isTail || end + chunk.length > TAIL) {
      this.#tail = new Uint8Array(TAIL);
      this.#used = 0;
      this.#chunks.push(this.#tail);
      from = 0;
    }
    this.#tail.set(chunk, this.#used);
    this.#used += chunk.length;
    this.#chunks[this.#chunks.length - 1] = this.#tail.subarray(from, this.#used);
  }

  #bodyLength(): number {
    const prefix = this.#peekPrefix();
    if (MAGIC.some((byte, i) => prefix[i] !== byte))
      throw new WireError("frame does not start with the magic");
    const length = new DataView(prefix.buffer, prefix.byteOffset, PREFIX).getUint32(4);
    if (length > this.#limit)
      throw new WireError(`frame of ${length} bytes is over the limit of ${this.#limit}`);
    return length;
  }

  #peekPrefix(): Uint8Array {
    const first = this.#chunks[0];
    if (first && first.length >= PREFIX) return first;
    const prefix = this.#take(PREFIX);
    this.#chunks.unshift(prefix);
    this.#held += PREFIX;
    return prefix;
  }

  /** Removes `size` bytes from the front. One copy at most, and none where they lie in one chunk. */
  #take(size: number): Uint8Array {
    this.#held -= size;
    const first = this.#chunks[0];
    if (first && first.length > size) {
      this.#chunks[0] = first.subarray(size);
      return first.subarray(0, size);
    }
    if (first && first.length === size) {
      this.#chunks.shift();
      return first;
    }
    const bytes = new Uint8Array(size);
    let at = 0;
    let used = 0;
    while (at < size) {
      const chunk = this.#chunks[used] as Uint8Array;
      const piece = chunk.subarray(0, size - at);
      bytes.set(piece, at);
      at += piece.length;
      if (piece.length < chunk.length) this.#chunks[used] = chunk.subarray(piece.length);
      else used++;
    }
    this.#chunks.splice(0, used);
    return bytes;
  }
}
