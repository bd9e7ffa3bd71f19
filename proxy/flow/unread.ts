/** The bound on the answers of one stream that a client has left unread. PROTOCOL.md, "Streams". */
import { FluxError } from "../../src/errors.js";
import { Fifo } from "./fifo.js";
import type { ControlMessage } from "./message.js";
import { MAX_RESPONSE, type Outbox } from "./outbox.js";

const MIB = 1024 * 1024;

/** While a session has less than this unacknowledged, no stream is ended. */
const COMMON = 8 * MIB;

/** Beyond that, a stream that has more than this itself is ended; it fills the session, and the others do not. */
const OWN = 1 * MIB;

/** A stream is ended before it takes more than this: the answers of other requests need the rest. */
const MOST = 12 * MIB;

/** The unacknowledged messages of one stream, which are characters of JSON. */
export class Unread {
  readonly #outbox: Outbox;
  readonly #messages = new Fifo<{ seq: number; size: number }>();
  #size = 0;

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  /** Sends a message of the stream. @throws FluxError ENOBUFS if the client has left too much unread; EMSGSIZE if the message is too long */
  send(message: ControlMessage): void {
    const outbox = this.#outbox;
    const { acked, unacked: before } = outbox.progress;
    this.#forget(acked);
    const limit = Math.max(COMMON - before, Math.min(OWN - this.#size, MOST - before));
    if (limit <= 0 || !outbox.sendWithin(Math.min(limit, MAX_RESPONSE), message)) {
      if (limit >= MAX_RESPONSE)
        throw new FluxError("EMSGSIZE", `the response is over ${MAX_RESPONSE} characters`);
      const mib = (before / MIB).toFixed(1);
      throw new FluxError("ENOBUFS", `the client has left ${mib} MiB unread, and the stream has more`);
    }
    const { last: seq, unacked } = outbox.progress;
    const size = unacked - before;
    this.#size += size;
    this.#messages.push({ seq, size });
  }

  #forget(acked: number): void {
    for (let first = this.#messages.first; first && first.seq <= acked; first = this.#messages.first) {
      this.#size -= first.size;
      this.#messages.shift();
    }
  }
}
