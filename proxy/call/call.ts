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
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Brakes } from "../flow/brakes.js";
import type { Budget } from "../flow/budget.js";
import type { ControlMessage } from "../flow/message.js";
import { MAX_RESPONSE, type Outbox } from "../flow/outbox.js";
import type { Scheduler } from "../flow/scheduler.js";
import type { Liveness } from "../liveness/liveness.js";
import type { Admitted } from "./admission.js";
import { CallInput } from "./call-input.js";
import { explain } from "./explain.js";
import { FanOut } from "./fan-out.js";
import { FollowedProcess } from "./followed-process.js";
import { inputStreams } from "./input-streams.js";
import { InputWriter } from "./input-writer.js";
import { Lane } from "./lane.js";
import { endLateStart } from "./late-start.js";
import { OwnCredit } from "./own-credit.js";
import { RankList, RankSet } from "./ranks.js";
import type { SendQueue } from "./send-queue.js";
import { idsetOf, type Target } from "./target.js";
import { Waiting } from "./waiting.js";

export interface CallOwner {
  readonly queue: SendQueue;
  readonly outbox: Outbox;
  readonly brakes: Brakes;
  readonly scheduler: Scheduler;
  readonly liveness: Pick<Liveness, "add">;
  /** What waits to be sent to the broker. */
  readonly bytes: Pick<Budget, "take" | "give">;
  /** So many ranks more are over: the client was sent their last message, and Flux has answered what it was not waited for. */
  said(ranks: number): void;
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
  readonly #ranks: RankList;
  readonly #owner: CallOwner;
  /** Ranks that have no last message yet. */
  readonly #live: RankSet;
  /** Ranks that the broker has not ended. One that sent nonsense has its last message before. */
  readonly #open: RankSet;
  /** Ranks of which the client was not sent the last message. */
  readonly #unsaid: RankSet;
  /** Ranks that are over for the client because they have not answered, and that Flux may still answer. */
  readonly #givenUp = new Set<number>();
  readonly #isProcess: boolean;
  /** Of an exec or attach, those that their server has answered and the client was not sent the last message of. */
  readonly #processes = new Map<number, FollowedProcess>();
  readonly #lane: Lane;
  readonly #fanOut: FanOut;
  readonly #input: CallInput;
  readonly #writer: InputWriter;
  /** If the server gives no credit for input. */
  readonly #ownCredit: OwnCredit | undefined;
  readonly #waiting: Waiting;
  #broker: Broker | undefined;

  constructor(request: Request, admitted: Admitted, owner: CallOwner) {
    const { operation, service } = admitted.asked;
    const { id } = request;
    const { queue, outbox, brakes, scheduler, liveness, bytes, guard } = owner;
    const ranks = new RankList(admitted.asked.ranks, id);
    this.#isProcess = request.streaming && (operation === "exec" || operation === "attach");
    this.kind = this.#isProcess ? (operation as CallKind) : "rpc";
    this.admitted = admitted;
    this.#request = request;
    this.#owner = owner;
    this.#ranks = ranks;
    this.#live = new RankSet(ranks);
    this.#open = new RankSet(ranks);
    this.#unsaid = new RankSet(ranks);
    const lane = new Lane({ ranks, scheduler, outbox, guard });
    this.#lane = lane;
    this.#fanOut = new FanOut({
      request,
      admitted,
      ranks,
      bytes,
      lane,
      brakes,
      guard,
      response: (rank, payload) => this.#response(rank, payload),
      ended: (rank, error) => this.#ended(rank, { error: error && explain(admitted.asked, error) }),
    });
    this.#input = new CallInput({
      id,
      ranks: ranks.ranks,
      open: this.kind === "exec",
      refusal: admitted.inputRefusal,
      emit: (message) => outbox.send(message),
    });
    const nodeid = (rank: number) => this.#fanOut.nodeid(rank);
    const grant = (rank: number, stream: string, bytes: number) => this.#input.grant(rank, stream, bytes);
    const streams = this.kind === "exec" ? inputStreams(request, admitted.asked) : [];
    this.#ownCredit =
      streams.length > 0 ? new OwnCredit({ service, streams, nodeid, grant, guard }) : undefined;
    this.#writer = new InputWriter({
      id,
      admitted,
      ranks,
      live: this.#live,
      input: this.#input,
      lane,
      bytes,
      queue,
      nodeid,
      sent: (...input) => this.#ownCredit?.sent(...input),
      fail: (error) => this.#fail(error),
    });
    this.#waiting = new Waiting({
      request,
      ranks,
      live: this.#live,
      isProcess: this.#isProcess,
      outbox,
      liveness,
      guard,
      giveUp: (late, error) => this.#giveUp(late, error),
    });
  }

  get id(): number {
    return this.#request.id;
  }

  /** How many ids the request takes, from {@link id} on: one for each rank, those that do not exist too. */
  get ids(): number {
    return this.admitted.target.size;
  }

  /** Ends the ranks that do not exist. @returns whether there are others */
  begin(): boolean {
    const { target, watcher } = this.admitted;
    const [range] = target.missing;
    if (range !== undefined) {
      const error = new FluxError("EHOSTUNREACH");
      watcher.failed(range[0], error);
      this.#owner.outbox.send(errorMessage(this.id, { ranks: [], missing: target.missing }, error));
    }
    if (this.#ranks.size > 0) return true;
    this.#waiting.close();
    this.#owner.ended(this);
    this.#finish();
    return false;
  }

  /** Sends the request to every rank. @throws ProtocolError if its payload cannot be sent to any broker */
  start(broker: Broker): void {
    this.#broker = broker;
    this.#writer.start(broker);
    if (this.#ownCredit !== undefined) for (const rank of this.#live) this.#ownCredit.start(rank);
    const { payload, signer } = this.admitted;
    this.#owner.queue.push({
      topic: this.#request.topic,
      payload,
      signer,
      send: (bytes) => this.#send(broker, bytes),
      refuse: (error) => this.fail(error),
    });
  }

  #send(broker: Broker, payload: Uint8Array): void {
    try {
      this.#fanOut.send(broker, payload, this.#open);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      this.fail(error);
    }
  }

  /** Ends every rank that is not over with an error, for the broker too. */
  fail(error: FluxError): void {
    this.#fail(error);
    for (const rank of [...this.#open]) this.#ended(rank, { error });
  }

  /** The session is over. */
  abort(): void {
    this.#lane.close();
    this.#waiting.close();
    this.admitted.watcher.abort();
    for (const [rank, process] of this.#processes) if (this.#open.has(rank)) process.leave();
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
    if (this.#unsaid.has(rank)) this.#process(rank).consumed(stream, bytes);
  }

  /** What the client has signed to stop a process and let it go on. @throws ProtocolError if it is anything else */
  brake(brake: Brake): void {
    this.#mustBeProcess();
    this.#matchtag(brake.rank);
    if (this.#live.has(brake.rank)) this.#process(brake.rank).brake(brake);
  }

  #mustBeExec(): void {
    if (this.kind !== "exec") throw malformed(`request ${this.id} is no exec`);
  }

  #mustBeProcess(): void {
    if (this.kind === "rpc") throw malformed(`request ${this.id} is no exec and no attach`);
  }

  /** @throws ProtocolError if the request is not for `rank` */
  #matchtag(rank: number): number {
    const matchtag = this.#ranks.matchtag(rank);
    if (matchtag === undefined) throw malformed(`request ${this.id} is not for rank ${rank}`);
    return matchtag;
  }

  #process(rank: number): FollowedProcess {
    const followed = this.#processes.get(rank);
    if (followed !== undefined) return followed;
    const { queue, outbox, brakes, guard } = this.#owner;
    const process = new FollowedProcess({
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
      over: () => this.#said([rank]),
    });
    this.#processes.set(rank, process);
    if (this.#broker !== undefined) process.start(this.#broker);
    return process;
  }

  #response(rank: number, payload: JsonObject): void {
    this.#waiting.answered(rank);
    if (!this.#live.has(rank)) {
      if (this.#givenUp.has(rank)) this.#lateResponse(rank, payload);
      return;
    }
    const process = this.#isProcess ? this.#process(rank) : undefined;
    try {
      if (process === undefined) this.#pass(rank, payload);
      else process.response(payload);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      // Over for the client; the broker goes on answering a streaming request under this matchtag, so the id is not free yet.
      process?.leave();
      this.#lastMessage(rank, { error });
    }
    if (!this.#request.streaming) this.#ended(rank, undefined);
  }

  /** What nobody waits for any more may still have happened: what it tells of processes counts. */
  #lateResponse(rank: number, payload: JsonObject): void {
    const { queue, guard } = this.#owner;
    const { watcher, asked, signer } = this.admitted;
    const { type, pid } = payload;
    watcher.response(rank, payload);
    if (!this.#request.streaming) this.#ended(rank, undefined);
    else if (this.kind === "exec" && type === "started" && typeof pid === "number") {
      const broker = this.#broker as Broker;
      const byClient = asked.signer !== undefined;
      const { service } = asked;
      endLateStart({
        service,
        nodeid: this.#fanOut.nodeid(rank),
        pid,
        broker,
        queue,
        signer,
        byClient,
        guard,
      });
    }
  }

  /** What the token lets its bearer see of a response. @throws FluxError EMSGSIZE if that is too long */
  #pass(rank: number, payload: JsonObject): void {
    const shown = this.admitted.watcher.response(rank, payload);
    const response = { type: "response", id: this.id, rank, payload: shown } as const;
    if (this.#owner.outbox.sendWithin(MAX_RESPONSE, response)) return;
    throw new FluxError("EMSGSIZE", `the response is over ${MAX_RESPONSE} characters`);
  }

  /**
   * Ranks that are not waited for any longer. Where Flux may still answer, the id and the place of the rank stay taken until it
   * does: nothing else is to be taken for its answer, and what a client leaves open has a bound.
   */
  #giveUp(ranks: readonly number[], error: FluxError): void {
    const unsent = ranks.filter((rank) => !this.#fanOut.sent(rank));
    for (const rank of ranks) {
      if (this.#live.has(rank)) this.#givenUp.add(rank);
      this.#processes.get(rank)?.leave();
    }
    this.#fail(error, ranks);
    // An attach has a connection of its own, which is closed with the last rank.
    const over = this.kind === "attach" && this.#live.size === 0 ? [...this.#open] : unsent;
    for (const rank of over) this.#ended(rank, { error });
  }

  /** Ends ranks with an error for the client; what the broker still says of them is not passed on. */
  #fail(error: FluxError, ranks: Iterable<number> = this.#live): void {
    const silent: number[] = [];
    for (const rank of ranks) {
      if (!this.#live.has(rank)) continue;
      if (this.#processes.has(rank)) this.#lastMessage(rank, { error });
      else silent.push(rank);
    }
    this.#failSilent(silent, error);
  }

  /** Ranks of which the client has nothing to come but this error: one message for all of them. */
  #failSilent(ranks: readonly number[], error: FluxError): void {
    if (ranks.length === 0) return;
    for (const rank of ranks) {
      this.#live.delete(rank);
      this.admitted.watcher.failed(rank, error);
    }
    this.#waiting.over(ranks);
    this.#owner.outbox.send(errorMessage(this.id, { ranks }, error));
    for (const rank of ranks) this.#input.remove(rank);
    this.#said(ranks);
  }

  /** @param last as of {@link #lastMessage}; undefined if the client has had it */
  #ended(rank: number, last: { error: FluxError | undefined } | undefined): void {
    if (!this.#open.has(rank)) return;
    this.#processes.get(rank)?.leave();
    if (this.#givenUp.delete(rank)) {
      if (last?.error !== undefined) this.admitted.watcher.failed(rank, last.error);
      if (!this.#unsaid.has(rank)) this.#owner.said(1);
    }
    if (last === undefined) {
      this.#live.delete(rank);
      this.#waiting.over([rank]);
      if (this.#unsaid.delete(rank)) this.#owner.said(1);
    } else {
      this.#lastMessage(rank, last);
    }
    this.admitted.watcher.ended(rank);
    this.#open.delete(rank);
    if (this.#open.size === 0) {
      this.#lane.close();
      this.#owner.ended(this);
    }
    this.#finish();
  }

  #lastMessage(rank: number, { error: told }: { error: FluxError | undefined }): void {
    if (!this.#live.delete(rank)) return;
    this.#waiting.over([rank]);
    const process = this.#processes.get(rank);
    const error = process?.error ?? told;
    if (error !== undefined) this.admitted.watcher.failed(rank, error);
    const last: ControlMessage =
      error === undefined
        ? { type: "end", id: this.id, rank }
        : errorMessage(this.id, { ranks: [rank] }, error);
    if (process !== undefined) {
      process.end(last);
    } else {
      this.#owner.outbox.send(last);
      this.#said([rank]);
    }
    this.#input.remove(rank);
  }

  #said(ranks: readonly number[]): void {
    for (const rank of ranks) {
      if (this.#unsaid.delete(rank) && !this.#givenUp.has(rank)) this.#owner.said(1);
      this.#processes.delete(rank);
    }
    this.#finish();
  }

  #finish(): void {
    if (this.#open.size === 0 && this.#unsaid.size === 0) this.#owner.over(this);
  }
}

/** The last message of ranks whose request failed. */
export function errorMessage(
  id: number,
  { ranks, missing = [] }: Pick<Target, "ranks"> & Partial<Target>,
  { code, errno, message }: FluxError,
): ControlMessage {
  const idset = idsetOf({ ranks, missing });
  const where = /^\d+$/.test(idset) ? { rank: Number(idset) } : { ranks: idset };
  // A FluxError without a text of the broker's has its code as its message.
  return { type: "error", id, ...where, errno, message: message === code ? "" : message };
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(CLOSE.malformed, what);
}
