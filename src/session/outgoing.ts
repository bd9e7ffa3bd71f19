/** Messages to the proxy: numbered, kept until acknowledged, in a window, and no larger than the proxy takes. */
import { FluxError } from "../errors.js";
import { encodeDataFrame } from "../protocol/frame.js";
import { stringifyJson } from "../protocol/json.js";
import { INPUT_WINDOW, MAX_FRAME } from "../protocol/messages.js";
import { Replay } from "../protocol/replay.js";
import { encoder } from "../protocol/utf8.js";
import type { Transport } from "../transport/transport.js";

interface Message {
  type: string;
  [field: string]: unknown;
}

/** No more is sent while the socket buffers over this number of bytes, since an ack or a ping would wait behind them. */
const MAX_BUFFERED = 256 * 1024;

/** The interval of looks at the buffer, in milliseconds: a browser has no event for an empty one. */
const POLL_MS = 5;

/** The sending half of a session's sequence. */
export class Outgoing {
  readonly #replay = new Replay({ keep: true });
  /** Messages that wait for the window, in order. */
  readonly #waiting: Message[] = [];
  /** Each sends one piece of input, and returns true if it has more. */
  readonly #turns: (() => boolean)[] = [];
  /** Undefined while no connection carries the session. */
  #transport: Transport | undefined;
  /** The number of the last message that was given to the transport. */
  #sent = 0;
  #poll: ReturnType<typeof setTimeout> | undefined;
  /** True during `#pump`, which its own callbacks may call. */
  #pumping = false;

  /** Sends over `transport` from now on, first again all messages after `received`. @returns false if no message had that number */
  attach(transport: Transport, received: number): boolean {
    const taken = this.#replay.resume(received);
    if (taken === undefined) return false;
    this.#sent = taken;
    this.#transport = transport;
    this.#pump();
    return true;
  }

  /** The transport is gone. */
  detach(): void {
    this.#transport = undefined;
    clearTimeout(this.#poll);
  }

  /** The proxy has taken all messages up to `seq`. @throws ProtocolError */
  ack(seq: number): void {
    this.#replay.ack(seq);
    this.#pump();
  }

  /** Sends a message. @throws FluxError EMSGSIZE, and sends nothing, if it is larger than the proxy takes */
  json(message: Message): void {
    const text = stringifyJson({ ...message, seq: this.#replay.last + 1 });
    // A character is at most three bytes of UTF-8, so a short text needs no encoding here.
    if (text.length * 3 > MAX_FRAME && encoder.encode(text).length > MAX_FRAME) {
      throw new FluxError("EMSGSIZE", `the ${message.type} message is larger than ${MAX_FRAME} bytes`);
    }
    if (this.#waiting.length > 0 || this.#replay.bytes >= 2 * INPUT_WINDOW - MAX_FRAME)
      this.#waiting.push(message);
    else this.#push(text);
    this.#pump();
  }

  /** Sends input, in the turn of its stream. */
  data(frame: { id: number; rank: number; stream: string; data: Uint8Array }): void {
    const bytes = encodeDataFrame({ ...frame, seq: this.#replay.last + 1 });
    this.#replay.push(bytes, bytes.length);
  }

  /** Calls `send` when there is room for input, in turn with others, until it returns false. */
  turn(send: () => boolean): void {
    this.#turns.push(send);
    this.#pump();
  }

  #push(text: string): void {
    this.#replay.push(text, text.length);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#step());
    this.#pumping = false;
  }

  /** Sends one message. @returns true if more may be possible now */
  #step(): boolean {
    const transport = this.#transport;
    const { last, bytes } = this.#replay;
    if (transport && this.#sent < last) {
      if (transport.bufferedAmount > MAX_BUFFERED) {
        clearTimeout(this.#poll);
        this.#poll = setTimeout(() => this.#pump(), POLL_MS);
        return false;
      }
      transport.send(this.#replay.get(++this.#sent));
      return true;
    }
    const waiting = bytes < 2 * INPUT_WINDOW - MAX_FRAME && this.#waiting.shift();
    if (waiting) {
      this.#push(stringifyJson({ ...waiting, seq: last + 1 }));
      return true;
    }
    const next = transport && bytes < INPUT_WINDOW - MAX_FRAME ? this.#turns.shift() : undefined;
    if (next?.()) this.#turns.push(next);
    return next !== undefined;
  }
}
