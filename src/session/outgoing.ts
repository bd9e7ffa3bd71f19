/** What goes out: numbered, kept until it is acknowledged, in a window, and never larger than the proxy takes. */
import { FluxError } from "../errors.js";
import { encodeDataFrame } from "../protocol/frame.js";
import { INPUT_WINDOW, MAX_FRAME } from "../protocol/messages.js";
import { Replay } from "../protocol/replay.js";
import { encoder } from "../protocol/utf8.js";
import type { Transport } from "../transport/transport.js";

interface Message {
  type: string;
  [field: string]: unknown;
}

/** Bytes in the socket's buffer beyond which we wait: an ack or a ping is not to stand behind more. */
const MAX_BUFFERED = 256 * 1024;

/** How soon we look again, in milliseconds: a browser does not say when its buffer is empty. */
const POLL_MS = 5;

export class Outgoing {
  readonly #replay = new Replay({ keep: true });
  /** What waits for the window, in order. */
  readonly #waiting: Message[] = [];
  /** Each sends one piece of input, and says whether it has more. */
  readonly #turns: (() => boolean)[] = [];
  #transport: Transport | undefined;
  /** The last message that the transport was given. */
  #sent = 0;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #pumping = false;

  /** Sends over `transport` from now on, first again what comes after `received`. @returns whether that was ever sent */
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

  /** @throws ProtocolError */
  ack(seq: number): void {
    this.#replay.ack(seq);
    this.#pump();
  }

  /** @throws FluxError EMSGSIZE for a message that the proxy would not take; then nothing is sent */
  json(message: Message): void {
    const text = JSON.stringify({ ...message, seq: this.#replay.last + 1 });
    // A character is at most three bytes: short texts need no second look.
    if (text.length * 3 > MAX_FRAME && encoder.encode(text).length > MAX_FRAME) {
      throw new FluxError("EMSGSIZE", `the ${message.type} message is larger than ${MAX_FRAME} bytes`);
    }
    if (this.#waiting.length > 0 || this.#replay.bytes >= 2 * INPUT_WINDOW - MAX_FRAME)
      this.#waiting.push(message);
    else this.#push(text);
    this.#pump();
  }

  /** Input, in the turn of its stream. */
  data(frame: { id: number; rank: number; stream: string; data: Uint8Array }): void {
    const bytes = encodeDataFrame({ ...frame, seq: this.#replay.last + 1 });
    this.#replay.push(bytes, bytes.length);
  }

  /** A stream has input: `send` is called when there is room, in turn with others, until it returns false. */
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

  /** @returns whether there may be more to do now */
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
      this.#push(JSON.stringify({ ...waiting, seq: last + 1 }));
      return true;
    }
    const next = transport && bytes < INPUT_WINDOW - MAX_FRAME ? this.#turns.shift() : undefined;
    if (next?.()) this.#turns.push(next);
    return next !== undefined;
  }
}
