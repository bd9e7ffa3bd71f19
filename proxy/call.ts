/** One request of a client, fanned out over its ranks. PROTOCOL.md, "Requests" and "Processes". */
import { FluxError } from "../src/errors.js";
import { CLOSE, ProtocolError, type Request } from "../src/protocol/messages.js";
import { EXEC_FLAG, ioObject } from "../src/protocol/rfc42.js";
import type { Broker, ResponseHandler } from "./broker/broker.js";
import { encodePayload, type JsonObject } from "./broker/payload.js";
import { CreditMeter } from "./credit.js";
import type { Outgoing } from "./outbox.js";
import { execFlags, type ProcessEvent, readProcessEvent } from "./process.js";

/** The most bytes that one request may become, over all its ranks, before the broker has taken any. */
const MAX_FANOUT_BYTES = 128 * 1024 * 1024;

export interface CallOwner {
  emit(message: Outgoing): void;
  /** Every rank has ended, at the broker too: the ids are free. */
  over(call: Call): void;
  /** Runs a callback of the broker. What it throws must not reach the broker's connection. */
  guard(callback: () => void): void;
}

export type CallKind = "rpc" | "exec" | "attach";

export class Call {
  readonly kind: CallKind;
  readonly #request: Request;
  /** By rank, in ascending order. */
  readonly #matchtags: ReadonlyMap<number, number>;
  readonly #owner: CallOwner;
  readonly #service: string;
  /** Ranks of which the client has not had the last message. */
  readonly #live: Set<number>;
  /** Ranks that the broker has not ended. One that sent nonsense is over for the client before. */
  readonly #open: Set<number>;
  /** Input credit, where it counts. */
  readonly #credit: CreditMeter | undefined;
  #broker: Broker | undefined;

  constructor(request: Request, ranks: readonly number[], owner: CallOwner) {
    const dot = request.topic.lastIndexOf(".");
    const method = request.streaming && dot >= 0 ? request.topic.slice(dot + 1) : "";
    this.kind = method === "exec" || method === "attach" ? method : "rpc";
    this.#service = request.topic.slice(0, Math.max(dot, 0));
    this.#request = request;
    this.#matchtags = new Map(ranks.map((rank, i) => [rank, request.id + i]));
    this.#owner = owner;
    this.#live = new Set(ranks);
    this.#open = new Set(ranks);
    const counted = this.kind === "exec" && (execFlags(request.payload) & EXEC_FLAG.writeCredit) !== 0;
    this.#credit = counted ? new CreditMeter(ranks) : undefined;
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
    const { topic, streaming } = this.#request;
    const payload = this.#payload();
    const { size } = this.#matchtags;
    if (payload.length * size > MAX_FANOUT_BYTES) {
      const what = `${payload.length} bytes to ${size} ranks are over ${MAX_FANOUT_BYTES}`;
      this.fail(new FluxError("EMSGSIZE", what));
      return;
    }
    for (const [rank, matchtag] of this.#matchtags) {
      const nodeid = this.#nodeid(rank);
      try {
        broker.request({ topic, streaming, nodeid, payload, matchtag }, this.#handler(rank));
      } catch (error) {
        if (!(error instanceof FluxError)) throw error;
        this.#ended(rank, { error });
      }
    }
  }

  /** Ends every rank that is not over with an error, for the broker too. */
  fail(error: FluxError): void {
    for (const rank of [...this.#open]) this.#ended(rank, { error });
  }

  /** Process input for every rank. @throws ProtocolError if this is no exec, or there was no credit for it */
  input(stream: string, data: Uint8Array): void {
    this.#mustTakeInput();
    if (this.#live.size === 0) return;
    if (this.#credit?.spend(stream, data.length) === false) {
      throw new ProtocolError(CLOSE.creditOverrun, `more input on ${stream} than there was credit for`);
    }
    if (data.length > 0) this.#write(ioObject(stream, "", data));
  }

  /** The end of an input stream, for every rank. @throws ProtocolError if this is no exec */
  inputEof(stream: string): void {
    this.#mustTakeInput();
    this.#write({ stream, eof: true });
  }

  #mustTakeInput(): void {
    if (this.kind !== "exec") throw new ProtocolError(CLOSE.malformed, `request ${this.id} is no exec`);
  }

  /** RFC 42 write, to each rank with the matchtag of its exec. */
  #write(io: object): void {
    for (const rank of this.#live) {
      const matchtag = this.#matchtags.get(rank);
      this.#broker?.send({
        topic: `${this.#service}.write`,
        nodeid: this.#nodeid(rank),
        payload: encodePayload({ matchtag, io: { ...io, rank: String(rank) } }),
      });
    }
  }

  #payload(): Uint8Array {
    try {
      return encodePayload(this.#request.payload);
    } catch (cause) {
      // JSON.parse takes more levels of nesting than JSON.stringify.
      throw new ProtocolError(CLOSE.malformed, "payload is nested too deeply", { cause });
    }
  }

  #nodeid(rank: number): number | undefined {
    return this.#request.nodeid === "any" ? undefined : rank;
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
      this.#emit({ type: "response", id: this.id, rank, payload });
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
        for (const data of event.pieces) this.#emit({ type: "data", id, rank, stream: event.stream, data });
        if (event.eof) this.#emit({ type: "eof", id, rank, stream: event.stream });
        return;
      case "credit":
        for (const { stream, bytes } of event.grants) {
          this.#announce(stream, this.#credit?.grant(rank, stream, bytes) ?? 0);
        }
        return;
      case "other":
        this.#emit({ type: "response", id, rank, payload });
    }
  }

  #announce(stream: string, bytes: number): void {
    if (bytes > 0) this.#emit({ type: "credit", id: this.id, stream, bytes });
  }

  /** @param last as of {@link #lastMessage}; undefined if the client has had it */
  #ended(rank: number, last: { error?: FluxError } | undefined): void {
    if (!this.#open.delete(rank)) return;
    if (last) this.#lastMessage(rank, last);
    else this.#live.delete(rank);
    if (this.#open.size === 0) this.#owner.over(this);
  }

  #lastMessage(rank: number, { error }: { error?: FluxError }): void {
    if (!this.#live.delete(rank)) return;
    const { id } = this;
    if (error === undefined) {
      this.#emit({ type: "end", id, rank });
    } else {
      // A FluxError without a text of the broker's has its code as its message.
      const message = error.message === error.code ? "" : error.message;
      this.#emit({ type: "error", id, rank, errno: error.errno, message });
    }
    for (const [stream, bytes] of this.#credit?.remove(rank) ?? []) this.#announce(stream, bytes);
  }

  #emit(message: Outgoing): void {
    this.#owner.emit(message);
  }
}
