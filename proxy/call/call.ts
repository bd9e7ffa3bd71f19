/** One request of a client, fanned out over its ranks. PROTOCOL.md, "Requests" and "Processes". */
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
import type { Broker, ResponseHandler } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Brakes } from "../flow/brakes.js";
import type { ControlMessage } from "../flow/message.js";
import type { Outbox } from "../flow/outbox.js";
import type { Admitted } from "./admission.js";
import { checkBrake } from "./brake-message.js";
import { CallInput } from "./call-input.js";
import { FollowedProcess } from "./followed-process.js";
import { InputWriter } from "./input-writer.js";
import { type ProcessEvent, readProcessEvent } from "./process.js";
import type { SendQueue } from "./send-queue.js";

/** The most bytes that one request may become, over all its ranks, before the broker has taken any. */
const MAX_FANOUT_BYTES = 128 * 1024 * 1024;

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
  readonly #input: CallInput;
  readonly #writer: InputWriter;
  #broker: Broker | undefined;

  constructor(request: Request, admitted: Admitted, owner: CallOwner) {
    const { operation, ranks, flags } = admitted.asked;
    const { id } = request;
    const isProcess = request.streaming && (operation === "exec" || operation === "attach");
    this.kind = isProcess ? operation : "rpc";
    this.admitted = admitted;
    this.#request = request;
    this.#matchtags = new Map(ranks.map((rank, i) => [rank, id + i]));
    this.#owner = owner;
    this.#live = new Set(ranks);
    this.#open = new Set(ranks);
    this.#unsaid = new Set(ranks);
    if (isProcess) for (const rank of ranks) this.#processes.set(rank, this.#follow(rank));
    this.#input = new CallInput({
      id,
      ranks,
      counted: this.kind === "exec" && (flags & EXEC_FLAG.writeCredit) !== 0,
      refusal: admitted.inputRefusal,
      emit: (message) => owner.outbox.send(message),
    });
    this.#writer = new InputWriter({
      id,
      admitted,
      matchtags: this.#matchtags,
      live: this.#live,
      input: this.#input,
      queue: owner.queue,
      nodeid: (rank) => this.#nodeid(rank),
      fail: (error) => this.#fail(error),
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
    this.#writer.start(broker);
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

  /** The token does not allow input any more. */
  forbidInput(reason: string): void {
    if (this.#live.size > 0) this.#input.forbid(reason);
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
    const process = this.#processes.get(brake.rank);
    if (!this.#live.has(brake.rank) || process === undefined) return;
    checkBrake(brake, this.admitted.asked, process.pid);
    process.brake(brake.stop, brake.cont);
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
    const { outbox, brakes } = this.#owner;
    return new FollowedProcess({
      id: this.id,
      rank,
      overflow: this.admitted.overflow,
      outbox,
      brakes,
      tell: (payload) => this.#pass(rank, payload),
      over: () => this.#said(rank),
    });
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
    const answered = this.#signal(rank);
    return {
      response: (payload) => {
        answered?.(true);
        guard(() => this.#response(rank, payload ?? {}));
      },
      error: (error) => {
        answered?.(false);
        guard(() => this.#ended(rank, { error }));
      },
      end: () => {
        answered?.(true);
        guard(() => this.#ended(rank, {}));
      },
    };
  }

  /**
   * A kill is on its way: who may stop the process is to know, be it in another session.
   * @returns takes the answer to it, also when this session is over
   */
  #signal(rank: number): ((taken: boolean) => void) | undefined {
    const { operation, service, signum, pid, label } = this.admitted.asked;
    if (operation !== "kill" || signum === undefined) return undefined;
    return this.#owner.brakes.signal(service, rank, { pid, label }, signum);
  }

  #response(rank: number, payload: JsonObject): void {
    if (!this.#live.has(rank)) return;
    const process = this.#processes.get(rank);
    if (process !== undefined) {
      this.#processEvent(rank, process, payload);
      return;
    }
    this.#pass(rank, payload);
    if (!this.#request.streaming) this.#ended(rank, undefined);
  }

  #processEvent(rank: number, process: FollowedProcess, payload: JsonObject): void {
    let event: ProcessEvent;
    try {
      event = readProcessEvent(payload);
    } catch (cause) {
      // Over for the client; the broker goes on answering under this matchtag, so the id is not free yet.
      process.leave();
      this.#lastMessage(rank, { error: new FluxError("EPROTO", (cause as Error).message, { cause }) });
      return;
    }
    switch (event.type) {
      case "output":
        for (const data of event.pieces) {
          this.admitted.watcher.received(data.length);
          process.output(event.stream, data);
        }
        if (event.eof) process.eof(event.stream);
        return;
      case "credit":
        for (const { stream, bytes } of event.grants) this.#input.grant(rank, stream, bytes);
        return;
      case "runs":
        this.#started(rank, process, event);
        break;
      case "stopped":
        if (!process.stopped(payload)) return;
    }
    this.#pass(rank, payload);
  }

  #started(rank: number, process: FollowedProcess, { pid, label }: ProcessEvent & { type: "runs" }): void {
    const { asked, signer } = this.admitted;
    const { queue, guard } = this.#owner;
    process.started(pid, asked.label ?? label, {
      service: asked.service,
      nodeid: this.#nodeid(rank),
      broker: this.#broker as Broker,
      queue,
      signer,
      byClient: asked.signer !== undefined,
      guard,
    });
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
  #ended(rank: number, last: { error?: FluxError } | undefined): void {
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

  #lastMessage(rank: number, { error: told }: { error?: FluxError }): void {
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
