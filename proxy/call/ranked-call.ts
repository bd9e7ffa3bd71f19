/** One request of a client, over all its ranks. PROTOCOL.md, "Requests" and "Processes". */
import { FluxError } from "../../src/errors.js";
import type { Brake, Consumed, Request, SignedWrite } from "../../src/protocol/messages.js";
import { malformed } from "../../src/protocol/protocol-error.js";
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import { MAX_RESPONSE } from "../flow/outbox.js";
import type { AdmittedRequest } from "./admission.js";
import { CallInput } from "./call-input.js";
import type { CallOwner } from "./call-owner.js";
import { errorMessage } from "./error-message.js";
import { explain } from "./explain.js";
import { FanOut } from "./fan-out.js";
import { FollowedProcesses } from "./followed-processes.js";
import { InputSender } from "./input-sender.js";
import { inputStreams } from "./input-streams.js";
import { Lane } from "./lane.js";
import { killLateStart, lateStart } from "./late-answer.js";
import { OwnCredit } from "./own-credit.js";
import { RankEndings } from "./rank-endings.js";
import { RankStates } from "./rank-states.js";
import { RankList } from "./ranks.js";
import { ResponseWait } from "./response-wait.js";

/** Exec and attach follow processes; an "rpc" is any other request, one with a single answer among them. */
export type CallKind = "rpc" | "exec" | "attach";

/** A request of a client that the token allows, from its sending to its last message. */
export class RankedCall {
  readonly kind: CallKind;
  readonly admitted: AdmittedRequest;
  readonly #request: Request;
  readonly #ranks: RankList;
  readonly #owner: CallOwner;
  readonly #endings: RankEndings;
  readonly #processes: FollowedProcesses;
  readonly #lane: Lane;
  readonly #fanOut: FanOut;
  readonly #input: CallInput;
  readonly #sender: InputSender;
  /** Undefined if the server grants credit for input, or the request takes none. */
  readonly #ownCredit: OwnCredit | undefined;
  readonly #wait: ResponseWait;
  /** Undefined until the request is sent. */
  #broker: Broker | undefined;

  constructor(request: Request, admitted: AdmittedRequest, owner: CallOwner) {
    const { parsed } = admitted;
    const { operation, service } = parsed;
    const { id } = request;
    const { queue, outbox, scheduler, bytes, guard } = owner;
    const isProcess = request.streaming && (operation === "exec" || operation === "attach");
    this.kind = isProcess ? operation : "rpc";
    this.admitted = admitted;
    this.#request = request;
    this.#owner = owner;
    const ranks = new RankList(parsed.ranks, id);
    const states = new RankStates(ranks);
    this.#ranks = ranks;
    const live = states.view("live");
    const nodeid = (rank: number) => this.#fanOut.nodeid(rank);
    const grant = (rank: number, stream: string, bytes: number) => this.#input.grant(rank, stream, bytes);
    this.#input = new CallInput({
      id,
      ranks: ranks.ranks,
      live,
      open: this.kind === "exec",
      refusal: admitted.inputRefusal,
      emit: (message) => outbox.send(message),
    });
    this.#processes = new FollowedProcesses({
      id,
      admitted,
      owner,
      nodeid,
      pass: (rank, payload) => this.#pass(rank, payload),
      grant,
      over: (rank) => this.#endings.sent([rank]),
    });
    this.#endings = new RankEndings({
      id,
      states,
      processes: this.#processes,
      monitor: admitted.monitor,
      outbox,
      input: this.#input,
      ownConnection: this.kind === "attach",
      wait: () => this.#wait,
      fanOut: () => this.#fanOut,
      releaseRanks: owner.releaseRanks,
      ended: () => {
        this.#lane.close();
        owner.ended();
      },
      over: owner.over,
    });
    const lane = new Lane({ ranks, scheduler, outbox, guard });
    this.#lane = lane;
    this.#fanOut = new FanOut({
      ...owner,
      request,
      admitted,
      ranks,
      lane,
      response: (rank, payload) => this.#response(rank, payload),
      ended: (rank, error) => this.#endings.ended(rank, error && explain(parsed, error)),
    });
    const streams = this.kind === "exec" ? inputStreams(request, parsed) : [];
    this.#ownCredit =
      streams.length > 0 ? new OwnCredit({ service, streams, nodeid, grant, guard }) : undefined;
    this.#sender = new InputSender({
      id,
      admitted,
      ranks,
      live,
      input: this.#input,
      lane,
      bytes,
      queue,
      nodeid,
      sent: (...input) => this.#ownCredit?.sent(...input),
      fail: (error) => this.#endings.failForClient(error),
    });
    this.#wait = new ResponseWait({
      ...owner,
      request,
      ranks,
      live,
      isProcess,
      giveUp: (unanswered, error) => this.#endings.giveUp(unanswered, error),
    });
  }

  get id(): number {
    return this.#request.id;
  }

  /** The number of ids that the request takes, from {@link id} on: one for each rank, also for one that does not exist. */
  get ids(): number {
    return this.admitted.target.size;
  }

  /** Ends the ranks that do not exist. @returns whether there are others */
  begin(): boolean {
    const { target, monitor } = this.admitted;
    const [range] = target.missing;
    if (range !== undefined) {
      const error = new FluxError("EHOSTUNREACH", "no such rank");
      monitor.failed(range[0], error);
      this.#owner.outbox.send(errorMessage(this.id, { ranks: [], missing: target.missing }, error));
    }
    if (this.#ranks.size > 0) return true;
    this.#wait.close();
    this.#owner.ended();
    this.#endings.finish();
    return false;
  }

  /** Sends the request to every rank. @throws ProtocolError if no broker can be sent its payload */
  start(broker: Broker): void {
    this.#broker = broker;
    this.#processes.start(broker);
    this.#sender.start(broker);
    if (this.#ownCredit !== undefined) for (const rank of this.#endings.live) this.#ownCredit.start(rank);
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
      this.#fanOut.send(broker, payload, this.#endings.open);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      this.fail(error);
    }
  }

  /** Ends every rank that is not over with an error, for the client and at the broker: no answer is awaited. */
  fail(error: FluxError): void {
    this.#endings.failForBoth(error);
  }

  /** The session is over. */
  abort(): void {
    this.#lane.close();
    this.#wait.close();
    this.admitted.monitor.abort();
    this.#processes.leave(this.#endings.open);
  }

  /** Process input for every rank. @throws ProtocolError if the request takes no input, or there is no credit for it */
  input(stream: string, data: Uint8Array): void {
    this.#mustBeExec();
    this.#sender.data(stream, data);
  }

  /** The end of an input stream, for every rank. @throws ProtocolError if the request takes no input */
  inputEof(stream: string): void {
    this.#mustBeExec();
    this.#sender.eof(stream);
  }

  /** Input for one rank, signed by the client. @throws ProtocolError as {@link input}, or if the signature has other input */
  signedInput(write: SignedWrite): void {
    this.#mustBeExec();
    this.#sender.signed(write, this.#matchtag(write.rank));
  }

  /** The client renewed its token. @param refusal why the token does not allow input; undefined if it does */
  renewed(refusal: string | undefined): void {
    if (this.#endings.live.size === 0) return;
    if (refusal === undefined) this.#input.allow();
    else this.#input.forbid(refusal);
  }

  /** The client has consumed output. @throws ProtocolError if the output was not sent, or is not of this request */
  consumed({ rank, stream, bytes }: Consumed): void {
    this.#mustFollow(rank);
    if (this.#endings.unsent.has(rank)) this.#processes.follow(rank).consumed(stream, bytes);
  }

  /** The client signed a stop and a continue of a process. @throws ProtocolError if it signed anything else */
  brake(brake: Brake): void {
    this.#mustFollow(brake.rank);
    if (this.#endings.live.has(brake.rank)) this.#processes.follow(brake.rank).brake(brake);
  }

  #mustBeExec(): void {
    if (this.kind !== "exec") throw malformed(`request ${this.id} is no exec`);
  }

  #mustFollow(rank: number): void {
    if (this.kind === "rpc") throw malformed(`request ${this.id} is no exec and no attach`);
    this.#matchtag(rank);
  }

  /** @throws ProtocolError if the request is not for `rank` */
  #matchtag(rank: number): number {
    const matchtag = this.#ranks.matchtag(rank);
    if (matchtag === undefined) throw malformed(`request ${this.id} is not for rank ${rank}`);
    return matchtag;
  }

  #response(rank: number, payload: JsonObject): void {
    this.#wait.answered(rank);
    if (!this.#endings.live.has(rank)) {
      if (this.#endings.isGivenUp(rank)) this.#lateResponse(rank, payload);
      return;
    }
    const process = this.kind === "rpc" ? undefined : this.#processes.follow(rank);
    try {
      if (process === undefined) this.#pass(rank, payload);
      else process.response(payload);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      // The id is not free yet: the broker goes on answering a streaming request under this matchtag.
      process?.leave();
      this.#endings.lastMessage(rank, error);
    }
    if (!this.#request.streaming) this.#endings.answered(rank);
  }

  /** The client is not sent a late answer, but the answer counts: its process may run. */
  #lateResponse(rank: number, payload: JsonObject): void {
    const { monitor, parsed, signer } = this.admitted;
    monitor.response(rank, payload);
    if (!this.#request.streaming) this.#endings.answered(rank);
    const pid = this.kind === "exec" ? lateStart(payload) : undefined;
    if (pid === undefined) return;
    killLateStart({
      ...this.#owner,
      service: parsed.service,
      nodeid: this.#fanOut.nodeid(rank),
      pid,
      broker: this.#broker as Broker,
      signer,
      byClient: parsed.signer !== undefined,
    });
  }

  /** Sends the client the part of a response that its token lets it see. @throws FluxError EMSGSIZE if that is too long */
  #pass(rank: number, payload: JsonObject): void {
    const shown = this.admitted.monitor.response(rank, payload);
    const response = { type: "response", id: this.id, rank, payload: shown } as const;
    if (this.#owner.outbox.sendWithin(MAX_RESPONSE, response)) return;
    throw new FluxError("EMSGSIZE", `the response is over ${MAX_RESPONSE} characters`);
  }
}
