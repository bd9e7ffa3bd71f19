/** One request of a client, over all its ranks. PROTOCOL.md, "Requests" and "Processes". */
import { FluxError } from "../../src/errors.js";
import {
  type Brake,
  CLOSE,
  type Consumed,
  ProtocolError,
  type Request,
  type SignedWrite,
} from "../../src/protocol/messages.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Brakes } from "../flow/brakes.js";
import type { ControlMessage } from "../flow/message.js";
import type { Outbox } from "../flow/outbox.js";
import type { Admitted } from "./admission.js";
import { CallInput } from "./call-input.js";
import { FanOut } from "./fan-out.js";
import { FollowedProcess } from "./followed-process.js";
import { InputWriter } from "./input-writer.js";
import type { SendQueue } from "./send-queue.js";

export interface CallOwner {
  readonly queue: SendQueue;
  readonly outbox: Outbox;
  readonly brakes: Brakes;
  /** Every rank has ended at the broker: it will not be heard of any more. */
  ended(call: Call): void;
  /** Besides, the client was sent every last message: the ids are free. */
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
  /** Ranks that have no last message yet. */
  readonly #live: Set<number>;
  /** Ranks that the broker has not ended. One that sent nonsense has its last message before. */
  readonly #open: Set<number>;
  /** Ranks of which the client was not sent the last message. */
  readonly #unsaid: Set<number>;
  /** Of an exec or attach, by rank; those of which the client was sent the last message are not there. */
  readonly #processes = new Map<number, FollowedProcess>();
  readonly #fanOut: FanOut;
  readonly #input: CallInput;
  readonly #writer: InputWriter;

  constructor(request: Request, admitted: Admitted, owner: CallOwner) {
    const { operation, ranks, flags } = admitted.asked;
    const { id } = request;
    const { queue, outbox, brakes, guard } = owner;
    const isProcess = request.streaming && (operation === "exec" || operation === "attach");
    this.kind = isProcess ? operation : "rpc";
    this.admitted = admitted;
    this.#request = request;
    this.#owner = owner;
    this.#live = new Set(ranks);
    this.#open = new Set(ranks);
    this.#unsaid = new Set(ranks);
    const matchtags = new Map(ranks.map((rank, i) => [rank, id + i]));
    this.#matchtags = matchtags;
    this.#fanOut = new FanOut({
      request,
      admitted,
      matchtags,
      brakes,
      guard,
      response: (rank, payload) => this.#response(rank, payload),
      ended: (rank, error) => this.#ended(rank, { error }),
    });
    this.#input = new CallInput({
      id,
      ranks,
      counted: this.kind === "exec" && (flags & EXEC_FLAG.writeCredit) !== 0,
      refusal: admitted.inputRefusal,
      emit: (message) => outbox.send(message),
    });
    this.#writer = new InputWriter({
      id,
      admitted,
      matchtags,
      live: this.#live,
      input: this.#input,
      queue,
      nodeid: (rank) => this.#fanOut.nodeid(rank),
      fail: (error) => this.#fail(error),
    });
    if (isProcess) for (const rank of ranks) this.#processes.set(rank, this.#follow(rank));
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
    this.#writer.start(broker);
    for (const process of this.#processes.values()) process.start(broker);
    const { payload, signer } = this.admitted;
    this.#owner.queue.push({
      topic: this.#request.topic,
      payload,
      signer,
      send: (bytes) => this.#fanOut.send(broker, bytes, this.#open),
      refuse: (error) => this.fail(error),
    });
  }

  /** Ends every rank that is not over with an error, for the broker too. */
  fail(error: FluxError): void {
    for (const rank of [...this.#open]) this.#ended(rank, { error });
  }

  /** The session is over. */
  abort(): void {
    this.admitted.watcher.abort();
    for (const rank of this.#open) this.#processes.get(rank)?.leave();
  }

  /** Process input for every rank. @throws ProtocolError if it is not for this request, or without credit */
  input(stream: string, data: Uint8Array): void {
    this.#mustBeExec();
    this.#writer.data(stream, data);
  }

  /** The end of an input stream, for every rank. @throws ProtocolError if it is not for this request */
  inputEof(stream: string): void {
    this.#mustBeExec();
    this.#writer.eof(stream);
  }

  /** Input for one rank that the client has signed. @throws ProtocolError as `input`, or if it was not what it says */
  signedInput(write: SignedWrite): void {
    this.#mustBeExec();
    this.#writer.signed(write, this.#matchtag(write.rank));
  }

  /** Another token has followed. @param refusal why it does not allow input; undefined if it does */
  renewed(refusal: string | undefined): void {
    if (this.#live.size === 0) return;
    if (refusal === undefined) this.#input.allow();
    else this.#input.forbid(refusal);
  }

  /** The client has consumed output. @throws ProtocolError if it is more than was sent, or not of this request */
  consumed({ rank, stream, bytes }: Consumed): void {
    this.#mustBeProcess();
    this.#matchtag(rank);
    this.#processes.get(rank)?.consumed(stream, bytes);
  }

  /** What the client has signed to stop a process and let it go on. @throws ProtocolError if it is anything else */
  brake(brake: Brake): void {
    this.#mustBeProcess();
    this.#matchtag(brake.rank);
    if (this.#live.has(brake.rank)) this.#processes.get(brake.rank)?.brake(brake);
  }

  #mustBeExec(): void {
    if (this.kind !== "exec") throw malformed(`request ${this.id} is no exec`);
  }

  #mustBeProcess(): void {
    if (this.kind === "rpc") throw malformed(`request ${this.id} is no exec and no attach`);
  }

  /** @throws ProtocolError if the request is not for `rank` */
  #matchtag(rank: number): number {
    const matchtag = this.#matchtags.get(rank);
    if (matchtag === undefined) throw malformed(`request ${this.id} is not for rank ${rank}`);
    return matchtag;
  }

  #follow(rank: number): FollowedProcess {
    const { queue, outbox, brakes, guard } = this.#owner;
    return new FollowedProcess({
      id: this.id,
      rank,
      nodeid: this.#fanOut.nodeid(rank),
      admitted: this.admitted,
      queue,
      outbox,
      brakes,
      guard,
      pass: (payload) => this.#pass(rank, payload),
      grant: (stream, bytes) => this.#input.grant(rank, stream, bytes),
      over: () => this.#said(rank),
    });
  }

  #response(rank: number, payload: JsonObject): void {
    if (!this.#live.has(rank)) return;
    const process = this.#processes.get(rank);
    if (process === undefined) {
      this.#pass(rank, payload);
      if (!this.#request.streaming) this.#ended(rank, undefined);
      return;
    }
    try {
      process.response(payload);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      // Over for the client; the broker goes on answering under this matchtag, so the id is not free yet.
      process.leave();
      this.#lastMessage(rank, { error });
    }
  }

  /** What the token lets its bearer see of a response. */
  #pass(rank: number, payload: JsonObject): void {
    const shown = this.admitted.watcher.response(rank, payload);
    this.#owner.outbox.send({ type: "response", id: this.id, rank, payload: shown });
  }

  /** Ends every rank with an error for the client; what the broker still says of them is not passed on. */
  #fail(error: FluxError): void {
    for (const rank of [...this.#live]) this.#lastMessage(rank, { error });
  }

  /** @param last as of {@link #lastMessage}; undefined if the client has had it */
  #ended(rank: number, last: { error: FluxError | undefined } | undefined): void {
    if (!this.#open.has(rank)) return;
    this.#processes.get(rank)?.leave();
    if (last === undefined) {
      this.#live.delete(rank);
      this.#unsaid.delete(rank);
    } else {
      this.#lastMessage(rank, last);
    }
    this.admitted.watcher.ended(rank);
    this.#open.delete(rank);
    if (this.#open.size === 0) this.#owner.ended(this);
    this.#finish();
  }

  #lastMessage(rank: number, { error: told }: { error: FluxError | undefined }): void {
    if (!this.#live.delete(rank)) return;
    const process = this.#processes.get(rank);
    const error = process?.error ?? told;
    if (error !== undefined) this.admitted.watcher.failed(rank, error);
    const last: ControlMessage =
      error === undefined ? { type: "end", id: this.id, rank } : errorMessage(this.id, rank, error);
    if (process !== undefined) {
      process.end(last);
    } else {
      this.#owner.outbox.send(last);
      this.#said(rank);
    }
    this.#input.remove(rank);
  }

  #said(rank: number): void {
    this.#unsaid.delete(rank);
    this.#processes.delete(rank);
    this.#finish();
  }

  #finish(): void {
    if (this.#open.size === 0 && this.#unsaid.size === 0) this.#owner.over(this);
  }
}

/** The last message of a rank whose request failed. */
export function errorMessage(id: number, rank: number, { code, errno, message }: FluxError): ControlMessage {
  // A FluxError without a text of the broker's has its code as its message.
  return { type: "error", id, rank, errno, message: message === code ? "" : message };
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(CLOSE.malformed, what);
}
