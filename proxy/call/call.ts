/** One request of a client, fanned out over its ranks. PROTOCOL.md, "Requests" and "Processes". */
import { FluxError } from "../../src/errors.js";
import { CLOSE, ProtocolError, type Request, type SignedWrite } from "../../src/protocol/messages.js";
import { EXEC_FLAG, ioObject } from "../../src/protocol/rfc42.js";
import type { Broker, ResponseHandler } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Outgoing } from "../flow/outbox.js";
import { readSignedWrite, SignedError } from "../policy/signed.js";
import type { Admitted } from "./admission.js";
import { CallInput } from "./call-input.js";
import { type ProcessEvent, readProcessEvent } from "./process.js";
import type { SendQueue } from "./send-queue.js";

/** The most bytes that one request may become, over all its ranks, before the broker has taken any. */
const MAX_FANOUT_BYTES = 128 * 1024 * 1024;

export interface CallOwner {
  readonly queue: SendQueue;
  emit(message: Outgoing): void;
  /** Every rank has ended, at the broker too: the ids are free. */
  over(call: Call): void;
  /** Runs a callback of the broker. What it throws must not reach the broker's connection. */
  guard(callback: () => void): void;
}

export type CallKind = "rpc" | "exec" | "attach";

export class Call {
  readonly kind: CallKind;
  readonly admitted: Admitted;
  readonly #request: Request;
  /** By rank, in ascending order. */
  readonly #matchtags: ReadonlyMap<number, number>;
  readonly #owner: CallOwner;
  /** Ranks of which the client has not had the last message. */
  readonly #live: Set<number>;
  /** Ranks that the broker has not ended. One that sent nonsense is over for the client before. */
  readonly #open: Set<number>;
  readonly #input: CallInput;
  #broker: Broker | undefined;

  constructor(request: Request, admitted: Admitted, owner: CallOwner) {
    const { operation, ranks, flags } = admitted.asked;
    const isProcess = request.streaming && (operation === "exec" || operation === "attach");
    this.kind = isProcess ? operation : "rpc";
    this.admitted = admitted;
    this.#request = request;
    this.#matchtags = new Map(ranks.map((rank, i) => [rank, request.id + i]));
    this.#owner = owner;
    this.#live = new Set(ranks);
    this.#open = new Set(ranks);
    this.#input = new CallInput({
      id: request.id,
      ranks,
      counted: this.kind === "exec" && (flags & EXEC_FLAG.writeCredit) !== 0,
      refusal: admitted.inputRefusal,
      emit: (message) => owner.emit(message),
    });
  }

  get id(): number {
    return this.#request.id;
  }

  /** All ids that the request takes: id to id + ranks - 1. */
  get ids(): Iterable<number> {
    return this.#matchtags.values();
  }

  /** Sends the request to every rank. @throws ProtocolError if its payload cannot be sent to any broker */
  start(broker: Broker): void {
    this.#broker = broker;
    const { payload, signer } = this.admitted;
    this.#owner.queue.push({
      topic: this.#request.topic,
      payload,
      signer,
      send: (bytes) => this.#send(broker, bytes),
      refuse: (error) => this.fail(error),
    });
  }

  /** Ends every rank that is not over with an error, for the broker too. */
  fail(error: FluxError): void {
    for (const rank of [...this.#open]) this.#ended(rank, { error });
  }

  /** Process input for every rank. @throws ProtocolError if it is not for this request, or without credit */
  input(stream: string, data: Uint8Array): void {
    this.#mustTakeInput(false);
    if (this.#live.size === 0 || !this.#input.take(stream, data.length)) return;
    this.admitted.watcher.sent(data.length);
    if (data.length > 0) this.#writeToAll(ioObject(stream, "", data));
  }

  /** The end of an input stream, for every rank. @throws ProtocolError if it is not for this request */
  inputEof(stream: string): void {
    this.#mustTakeInput(false);
    this.#writeToAll({ stream, eof: true });
  }

  /** Input for one rank that the client has signed. @throws ProtocolError as `input`, or if it was not what it says */
  signedInput({ rank, stream, bytes, signature }: Omit<SignedWrite, "type" | "seq" | "id">): void {
    this.#mustTakeInput(true);
    const matchtag = this.#matchtags.get(rank);
    if (matchtag === undefined) throw malformed(`request ${this.id} is not for rank ${rank}`);
    if (!this.#live.has(rank)) return;
    if (this.#signedBytes(signature, matchtag, stream) !== bytes) {
      throw malformed("write has another number of bytes than it says");
    }
    if (!this.#input.take(stream, bytes, rank)) return;
    this.admitted.watcher.sent(bytes);
    this.#write(rank, { signature });
  }

  /** The token does not allow input any more. */
  forbidInput(reason: string): void {
    if (this.#live.size > 0) this.#input.forbid(reason);
  }

  #mustTakeInput(signed: boolean): void {
    if (this.kind !== "exec") throw malformed(`request ${this.id} is no exec`);
    const bySignature = this.admitted.asked.signer !== undefined;
    if (signed === bySignature) return;
    throw malformed(`request ${this.id} is ${bySignature ? "" : "not "}signed by the client`);
  }

  #signedBytes(signature: string, matchtag: number, stream: string): number {
    const userid = this.admitted.asked.signer as number;
    try {
      return readSignedWrite(signature, { topic: this.#writeTopic(), userid, matchtag, stream });
    } catch (cause) {
      if (!(cause instanceof SignedError)) throw cause;
      throw malformed(`write: ${cause.message}`);
    }
  }

  /** RFC 42 write, to each rank with the matchtag of its exec. */
  #writeToAll(io: object): void {
    for (const rank of this.#live) {
      const matchtag = this.#matchtags.get(rank);
      this.#write(rank, { matchtag, io: { ...io, rank: String(rank) } });
    }
  }

  #write(rank: number, payload: JsonObject): void {
    const broker = this.#broker;
    if (broker === undefined) return;
    const topic = this.#writeTopic();
    this.#owner.queue.push({
      topic,
      payload,
      signer: this.admitted.signer,
      send: (bytes) => {
        // A rank that is over, meanwhile too, has no process that would read it.
        if (this.#live.has(rank)) broker.send({ topic, nodeid: this.#nodeid(rank), payload: bytes });
      },
      // What the process gets from here on would have a hole in it.
      refuse: (error) => this.#fail(error),
    });
  }

  #writeTopic(): string {
    return `${this.admitted.asked.service}.write`;
  }

  #send(broker: Broker, payload: Uint8Array): void {
    const { topic, streaming } = this.#request;
    const { size } = this.#matchtags;
    if (payload.length * size > MAX_FANOUT_BYTES) {
      const what = `${payload.length} bytes to ${size} ranks are over ${MAX_FANOUT_BYTES}`;
      this.fail(new FluxError("EMSGSIZE", what));
      return;
    }
    for (const [rank, matchtag] of this.#matchtags) {
      // Over already if it was cancelled, or the broker lost, while it was signed.
      if (!this.#open.has(rank)) continue;
      const nodeid = this.#nodeid(rank);
      try {
        broker.request({ topic, streaming, nodeid, payload, matchtag }, this.#handler(rank));
      } catch (error) {
        if (!(error instanceof FluxError)) throw error;
        this.#ended(rank, { error });
      }
    }
  }

  #nodeid(rank: number): number | undefined {
    return this.#request.nodeid === "any" && !this.admitted.pinned ? undefined : rank;
  }

  #handler(rank: number): ResponseHandler {
    const { guard } = this.#owner;
    return {
      response: (payload) => guard(() => this.#response(rank, payload ?? {})),
      error: (error) => guard(() => this.#ended(rank, { error })),
      end: () => guard(() => this.#ended(rank, {})),
    };
  }

  #response(rank: number, payload: JsonObject): void {
    if (!this.#live.has(rank)) return;
    if (this.kind === "rpc") {
      this.#pass(rank, payload);
      if (!this.#request.streaming) this.#ended(rank, undefined);
    } else {
      this.#processEvent(rank, payload);
    }
  }

  #processEvent(rank: number, payload: JsonObject): void {
    let event: ProcessEvent;
    try {
      event = readProcessEvent(payload);
    } catch (cause) {
      // Over for the client; the broker goes on answering under this matchtag, so the id is not free yet.
      this.#lastMessage(rank, { error: new FluxError("EPROTO", (cause as Error).message, { cause }) });
      return;
    }
    const { id } = this;
    switch (event.type) {
      case "output":
        for (const data of event.pieces) {
          this.admitted.watcher.received(data.length);
          this.#emit({ type: "data", id, rank, stream: event.stream, data });
        }
        if (event.eof) this.#emit({ type: "eof", id, rank, stream: event.stream });
        return;
      case "credit":
        for (const { stream, bytes } of event.grants) this.#input.grant(rank, stream, bytes);
        return;
      case "other":
        this.#pass(rank, payload);
    }
  }

  /** What the token lets its bearer see of a response. */
  #pass(rank: number, payload: JsonObject): void {
    const shown = this.admitted.watcher.response(rank, payload);
    this.#emit({ type: "response", id: this.id, rank, payload: shown });
  }

  /** Ends every rank with an error for the client; what the broker still says of them is not passed on. */
  #fail(error: FluxError): void {
    for (const rank of [...this.#live]) this.#lastMessage(rank, { error });
  }

  /** @param last as of {@link #lastMessage}; undefined if the client has had it */
  #ended(rank: number, last: { error?: FluxError } | undefined): void {
    if (!this.#open.delete(rank)) return;
    if (last) this.#lastMessage(rank, last);
    else this.#live.delete(rank);
    this.admitted.watcher.ended(rank);
    if (this.#open.size === 0) this.#owner.over(this);
  }

  #lastMessage(rank: number, { error }: { error?: FluxError }): void {
    if (!this.#live.delete(rank)) return;
    const { id } = this;
    if (error === undefined) {
      this.#emit({ type: "end", id, rank });
    } else {
      this.admitted.watcher.failed(rank, error);
      this.#emit(errorMessage(id, rank, error));
    }
    this.#input.remove(rank);
  }

  #emit(message: Outgoing): void {
    this.#owner.emit(message);
  }
}

/** The last message of a rank whose request failed. */
export function errorMessage(id: number, rank: number, { code, errno, message }: FluxError): Outgoing {
  // A FluxError without a text of the broker's has its code as its message.
  return { type: "error", id, rank, errno, message: message === code ? "" : message };
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(CLOSE.malformed, what);
}
