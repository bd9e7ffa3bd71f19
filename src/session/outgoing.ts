/** What goes out: numbered, and never larger than the proxy takes. */
import { FluxError } from "../errors.js";
import { encodeDataFrame } from "../protocol/frame.js";
import { MAX_FRAME } from "../protocol/messages.js";
import { Sequence } from "../protocol/sequence.js";
import type { Transport } from "../transport/transport.js";

interface Message {
  type: string;
  [field: string]: unknown;
}

const encoder = new TextEncoder();

export class Outgoing {
  readonly #transport: Transport;
  readonly #sequence = new Sequence();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** @throws FluxError EMSGSIZE for a message that the proxy would not take; then nothing is sent */
  json(message: Message): void {
    const text = JSON.stringify({ ...message, seq: this.#sequence.last + 1 });
    // A character is at most three bytes: short texts need no second look.
    if (text.length * 3 > MAX_FRAME && encoder.encode(text).length > MAX_FRAME) {
      throw new FluxError("EMSGSIZE", `the ${message.type} message is larger than ${MAX_FRAME} bytes`);
    }
    this.#sequence.next();
    this.#transport.send(text);
  }

  data(frame: { id: number; rank: number; stream: string; data: Uint8Array }): void {
    this.#transport.send(encodeDataFrame({ ...frame, seq: this.#sequence.next() }));
  }

  /** What PROTOCOL.md does not number: the opening, the renewal, acknowledgements. */
  unnumbered(message: Message): void {
    this.#transport.send(JSON.stringify(message));
  }
}
