/** The process that an exec or attach follows on one rank: its output, and its treatment if nobody consumes the output. */
import { FluxError } from "../../src/errors.js";
import type { Brake } from "../../src/protocol/messages.js";
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Brakes } from "../flow/brakes.js";
import type { ControlMessage } from "../flow/message.js";
import type { Outbox } from "../flow/outbox.js";
import type { RankOutput } from "../flow/rank-output.js";
import type { AdmittedRequest } from "./admission.js";
import { checkBrake } from "./brake-message.js";
import { GapOverflow } from "./overflow/gap.js";
import { KillOverflow } from "./overflow/kill.js";
import type { OverflowStrategy } from "./overflow/overflow-strategy.js";
import { StopOverflow } from "./overflow/stop.js";
import { ProcessSignals } from "./process-signals.js";
import type { SendQueue } from "./send-queue.js";
import { readServerEvent, type ServerEvent } from "./server-event.js";

/** The most stream names of one process, for input and output: each costs memory. Few processes have more descriptors. */
const MAX_STREAMS = 1024;

/** The request that follows the process, and the receiver of its answers. */
export interface FollowedProcessOptions {
  id: number;
  rank: number;
  /** The rank that requests are addressed to; undefined for any. */
  nodeid: number | undefined;
  admitted: AdmittedRequest;
  queue: SendQueue;
  outbox: Outbox;
  brakes: Brakes;
  /** Runs a callback of the broker, or of another session. */
  guard(callback: () => void): void;
  /** Passes a response of the server on to the client. */
  pass(payload: JsonObject): void;
  /** The server takes `bytes` more input. */
  grant(stream: string, bytes: number): void;
  /** The client was sent its last message. */
  over(): void;
}

/** Follows one process until its last message was sent. */
export class FollowedProcess {
  readonly #options: FollowedProcessOptions;
  readonly #output: RankOutput;
  /** Gaps until its pid is known: before, nobody can stop it. */
  #overflow: OverflowStrategy;
  /** Undefined until the request is sent. */
  #broker: Broker | undefined;
  /** Undefined until the server has answered with it. */
  #pid: number | undefined;
  /** The last `stopped` of the server. */
  #stopped: JsonObject = {};
  #unregister = () => {};
  readonly #streams = new Set<string>();

  constructor(options: FollowedProcessOptions) {
    this.#options = options;
    const { id, rank, outbox, over } = options;
    this.#output = outbox.open({ id, rank, over, drained: () => this.#overflow.drained() });
    this.#overflow = new GapOverflow(this.#output, outbox.backlog);
  }

  /** Its request goes over this connection. */
  start(broker: Broker): void {
    this.#broker = broker;
  }

  /** Its server has answered. @throws FluxError EPROTO that names the fault of the answer */
  response(payload: JsonObject): void {
    const event = read(payload);
    const { admitted, grant, pass } = this.#options;
    switch (event.type) {
      case "output":
        this.#count(event.stream);
        for (const data of event.pieces) {
          admitted.monitor.received(data.length);
          this.#push(event.stream, data);
        }
        // A stream with dropped output has no end of its own: its rank ends in an error.
        if (event.eof && this.error === undefined) this.#output.eof(event.stream);
        return;
      case "credit":
        for (const { stream, bytes } of event.grants) {
          this.#count(stream);
          grant(stream, bytes);
        }
        return;
      case "runs":
        this.#runs(event.pid, event.label);
        break;
      case "stopped":
        this.#stopped = payload;
        if (!this.#overflow.stopped()) return;
    }
    pass(payload);
  }

  /** The client signed its stop and its continue. @throws ProtocolError if it signed anything else */
  brake(brake: Brake): void {
    checkBrake(brake, this.#options.admitted.parsed, this.#pid);
    this.#overflow.signed(brake.stop, brake.cont);
  }

  /** The client has consumed output. @throws ProtocolError if it is more than was sent */
  consumed(stream: string, bytes: number): void {
    this.#output.consumed(stream, bytes);
  }

  /** Replaces the end that its server gives. */
  get error(): FluxError | undefined {
    return this.#overflow.error;
  }

  /** Sends the last message of its rank, after all its output. */
  end(last: ControlMessage): void {
    this.#output.end(last);
  }

  /** It is followed no longer. If the proxy stopped it, it continues. */
  leave(): void {
    this.#unregister();
    this.#overflow.end();
  }

  /** @throws FluxError EPROTO if the server names more streams than a process has */
  #count(stream: string): void {
    this.#streams.add(stream);
    if (this.#streams.size > MAX_STREAMS) throw new FluxError("EPROTO", `more than ${MAX_STREAMS} streams`);
  }

  #push(stream: string, data: Uint8Array): void {
    if (!this.#overflow.takes(data.length)) return;
    this.#output.push(stream, data);
    this.#overflow.took(data.length);
    // No overflow bounds the sum over many processes.
    const { backlog } = this.#options.outbox;
    while (backlog.full && this.#output.bytes > 0) this.#output.drop();
  }

  /** It was started or attached to. */
  #runs(pid: number, label: string | undefined): void {
    const { admitted, outbox, rank, nodeid, queue, brakes, guard, pass } = this.#options;
    const { parsed, overflow, signer } = admitted;
    if (this.#pid !== undefined || this.#broker === undefined) return;
    this.#pid = pid;
    if (overflow === "gap") return;
    const { service } = parsed;
    const byClient = parsed.signer !== undefined;
    const broker = this.#broker;
    const signals = new ProcessSignals({ service, nodeid, pid, broker, queue, signer, byClient, guard });
    if (overflow === "kill") {
      this.#overflow = new KillOverflow(this.#output, outbox.backlog, signals);
      return;
    }
    const stop = new StopOverflow(this.#output, outbox.backlog, signals, () => pass(this.#stopped));
    this.#overflow = stop;
    const name = { pid, label: parsed.label ?? label };
    this.#unregister = brakes.add(service, rank, name, {
      signalled: (signum) => stop.signalled(signum),
      answered: (signum, taken) => guard(() => stop.answered(signum, taken)),
    });
  }
}

function read(payload: JsonObject): ServerEvent {
  try {
    return readServerEvent(payload);
  } catch (cause) {
    throw new FluxError("EPROTO", (cause as Error).message, { cause });
  }
}
