/** The messages of a session to its brokers, in the order of the client's requests, although signing takes time. */
import { FluxError } from "../../src/errors.js";
import { malformed } from "../../src/protocol/protocol-error.js";
import { type Signer, signedPayload } from "../../src/signing/signer.js";
import { encodePayload, type JsonObject } from "../broker/payload.js";
import { Fifo } from "../flow/fifo.js";

/** The most messages that wait for a signature while the proxy still acknowledges the client's messages. */
const MAX_WAITING = 16;

/** The most bytes of input that wait to be sent while the proxy still acknowledges the client's messages. */
const MAX_HELD = 1024 * 1024;

/** A message to a broker. */
export interface OutgoingMessage {
  topic: string;
  payload: JsonObject;
  /** The payload as bytes. @default the payload, encoded */
  encoded?: (() => Uint8Array) | undefined;
  /** Signs it; undefined if it is sent unsigned. */
  signer: Signer | undefined;
  /** Sends it. */
  send(payload: Uint8Array): void;
  /** Called if it cannot be signed; it is not sent then. */
  refuse(error: FluxError): void;
}

/** Signs and sends the messages of one session. */
export class SendQueue {
  readonly #guard: (action: () => void) => void;
  readonly #idle: () => void;
  readonly #waiting = new Fifo<OutgoingMessage>();
  #held = 0;
  #busy = false;

  /**
   * @param guard runs a `send` after its signature: it may throw a ProtocolError
   * @param idle called when the queue is no longer {@link congested}
   */
  constructor(guard: (action: () => void) => void, idle: () => void) {
    this.#guard = guard;
    this.#idle = idle;
  }

  /** True if so much waits that the client's messages must not be acknowledged. */
  get congested(): boolean {
    return this.#waiting.length > MAX_WAITING || this.#held > MAX_HELD;
  }

  /** Counts input that waits to be sent outside of the queue. */
  hold(bytes: number): void {
    this.#held += bytes;
  }

  /** That input was sent, or dropped. */
  release(bytes: number): void {
    const wasCongested = this.congested;
    this.#held -= bytes;
    if (wasCongested && !this.congested) this.#idle();
  }

  /** Sends a message: at once if nothing waits and it needs no signature. @throws the error of its `send`, if sent at once */
  push(sending: OutgoingMessage): void {
    if (!this.#busy && sending.signer === undefined) {
      sending.send(encode(sending));
      return;
    }
    this.#waiting.push(sending);
    if (!this.#busy) void this.#drain();
  }

  /** The session is over: nothing more is sent. */
  clear(): void {
    this.#waiting.clear();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.first; next !== undefined; next = this.#waiting.first) {
      const finish = await prepare(next);
      const wasCongested = this.congested;
      // Empty if the session has ended meanwhile.
      if (this.#waiting.shift() === undefined) break;
      this.#guard(finish);
      if (wasCongested && !this.congested) this.#idle();
    }
    this.#busy = false;
  }
}

/** Signs a message if it has a signer. @returns sends or refuses it */
async function prepare(sending: OutgoingMessage): Promise<() => void> {
  const { signer, topic, payload, send, refuse } = sending;
  if (signer === undefined) return () => send(encode(sending));
  try {
    const signed = await signedPayload(signer, topic, payload);
    return () => send(encode({ payload: signed }));
  } catch (cause) {
    const { message } = cause as Error;
    return () => refuse(new FluxError("EPERM", `the proxy cannot sign: ${message}`, { topic, cause }));
  }
}

function encode({ payload, encoded }: { payload: object; encoded?: OutgoingMessage["encoded"] }): Uint8Array {
  try {
    return encoded === undefined ? encodePayload(payload) : encoded();
  } catch (cause) {
    // JSON.parse accepts deeper nesting than JSON.stringify.
    throw malformed("payload is nested too deeply", cause);
  }
}
