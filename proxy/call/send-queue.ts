/** What a session sends to its brokers, in the order that the client asked for it, though signing takes time. */
import { FluxError } from "../../src/errors.js";
import { CLOSE, ProtocolError } from "../../src/protocol/messages.js";
import { type Signer, signedPayload } from "../../src/signing/signer.js";
import { encodePayload, type JsonObject } from "../broker/payload.js";
import { Fifo } from "../flow/fifo.js";

/** How many messages may wait for a signature before those of the client are acknowledged no longer. */
const MAX_WAITING = 16;

/** How many bytes of input may wait to be sent before those of the client are acknowledged no longer. */
const MAX_HELD = 1024 * 1024;

export interface Sending {
  topic: string;
  payload: JsonObject;
  /** The payload as bytes; absent: encoded from it. */
  encoded?: (() => Uint8Array) | undefined;
  /** Who signs it; undefined if it goes as it is. */
  signer: Signer | undefined;
  /** Sends it. */
  send(payload: Uint8Array): void;
  /** It cannot be signed, and is not sent. */
  refuse(error: FluxError): void;
}

export class SendQueue {
  readonly #guard: (action: () => void) => void;
  readonly #idle: () => void;
  readonly #waiting = new Fifo<Sending>();
  #held = 0;
  #busy = false;

  /**
   * @param guard runs what may find fault with the client, later than the client asked for it
   * @param idle called when it is {@link congested} no longer
   */
  constructor(guard: (action: () => void) => void, idle: () => void) {
    this.#guard = guard;
    this.#idle = idle;
  }

  /** Whether so much waits that what the client sends should not be acknowledged. */
  get congested(): boolean {
    return this.#waiting.length > MAX_WAITING || this.#held > MAX_HELD;
  }

  /** Input waits elsewhere to be sent. */
  hold(bytes: number): void {
    this.#held += bytes;
  }

  /** It does so no longer. */
  release(bytes: number): void {
    const wasCongested = this.congested;
    this.#held -= bytes;
    if (wasCongested && !this.congested) this.#idle();
  }

  /** Sends at once, if nothing waits and nothing is to be signed. @throws what its `send` throws */
  push(sending: Sending): void {
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

/** Signs what is to be signed. @returns what to do then */
async function prepare(sending: Sending): Promise<() => void> {
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

function encode({ payload, encoded }: { payload: object; encoded?: Sending["encoded"] }): Uint8Array {
  try {
    return encoded === undefined ? encodePayload(payload) : encoded();
  } catch (cause) {
    // JSON.parse takes more levels of nesting than JSON.stringify.
    throw new ProtocolError(CLOSE.malformed, "payload is nested too deeply", { cause });
  }
}
