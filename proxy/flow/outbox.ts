/**
 * What the proxy sends to one client: numbered, in order, and no more process bytes ahead of the client's
 * acknowledgements than PROTOCOL.md, "Sequence", allows. What does not fit waits here; `onBlocked` says
 * when the source has to be stopped, so that what waits stays small.
 */
import { type DataFrame, encodeDataFrame } from "../../src/protocol/frame.js";
import { CLOSE, OUTPUT_WINDOW, ProtocolError, type ServerMessage } from "../../src/protocol/messages.js";
import { Sequence } from "../../src/protocol/sequence.js";

type Unnumbered<T> = T extends unknown ? Omit<T, "seq"> : never;

/** A message to the client that has no number yet. */
export type Outgoing = Unnumbered<ServerMessage | DataFrame>;

export interface OutboxSocket {
  sendText(text: string): void;
  sendBinary(bytes: Uint8Array): void;
  /** Bytes handed over and not yet given to the network. */
  readonly bufferedAmount: number;
}

/** Messages without process bytes are in no window; this bounds them. More than a full window must fit. */
const MAX_BUFFERED = 2 * OUTPUT_WINDOW;

/**
 * Records of sent frames are merged up to this many bytes: a process that writes single bytes would
 * otherwise fill the window with millions of them. An ack in the middle of a record takes effect with the
 * next one.
 */
const MERGE_BELOW = 4096;

export class Outbox {
  readonly #socket: OutboxSocket;
  readonly #onBlocked: (blocked: boolean) => void;
  readonly #sequence = new Sequence();
  readonly #waiting: Outgoing[] = [];
  /** Process bytes that the client has not acknowledged, up to which frame, oldest first. */
  readonly #unacked: { seq: number; bytes: number }[] = [];
  #unackedBytes = 0;
  #blocked = false;
  #onEmpty: (() => void) | undefined;

  constructor(socket: OutboxSocket, onBlocked: (blocked: boolean) => void) {
    this.#socket = socket;
    this.#onBlocked = onBlocked;
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  send(message: Outgoing): void {
    if (this.#waiting.length === 0 && this.#fits(message)) this.#transmit(message);
    else this.#waiting.push(message);
    this.#update();
  }

  /** Takes note of an acknowledgement. @throws ProtocolError if it is of a message that was never sent */
  ack(seq: number): void {
    if (seq > this.#sequence.last) {
      throw new ProtocolError(
        CLOSE.malformed,
        `ack of message ${seq}, the last one sent is ${this.#sequence.last}`,
      );
    }
    let count = 0;
    for (const record of this.#unacked) {
      if (record.seq > seq) break;
      this.#unackedBytes -= record.bytes;
      count++;
    }
    this.#unacked.splice(0, count);
    this.#flush();
  }

  /** The network has taken some of what was buffered. */
  drained(): void {
    if (this.#blocked) this.#update();
  }

  /** Calls `then` once nothing is waiting any more. */
  whenEmpty(then: () => void): void {
    this.#onEmpty = then;
    this.#flush();
  }

  #flush(): void {
    let count = 0;
    for (const message of this.#waiting) {
      if (!this.#fits(message)) break;
      this.#transmit(message);
      count++;
    }
    this.#waiting.splice(0, count);
    this.#update();
    if (this.#waiting.length === 0) this.#onEmpty?.();
  }

  #fits(message: Outgoing): boolean {
    return message.type !== "data" || this.#unackedBytes + message.data.length <= OUTPUT_WINDOW;
  }

  #transmit(message: Outgoing): void {
    const seq = this.#sequence.next();
    if (message.type === "data") {
      this.#record(seq, message.data.length);
      this.#socket.sendBinary(encodeDataFrame({ ...message, seq }));
    } else {
      this.#socket.sendText(JSON.stringify({ ...message, seq }));
    }
  }

  #record(seq: number, bytes: number): void {
    this.#unackedBytes += bytes;
    const last = this.#unacked.at(-1);
    if (last === undefined || last.bytes >= MERGE_BELOW) {
      this.#unacked.push({ seq, bytes });
    } else {
      last.seq = seq;
      last.bytes += bytes;
    }
  }

  #update(): void {
    const blocked =
      this.#waiting.length > 0 ||
      this.#unackedBytes >= OUTPUT_WINDOW ||
      this.#socket.bufferedAmount > MAX_BUFFERED;
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    this.#onBlocked(blocked);
  }
}
