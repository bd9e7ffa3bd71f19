/** The process that an exec or attach follows on one rank: its output, and what becomes of it if that is not taken. */
import { FluxError } from "../../src/errors.js";
import type { Brake } from "../../src/protocol/messages.js";
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Brakes } from "../flow/brakes.js";
import type { ControlMessage } from "../flow/message.js";
import type { Outbox } from "../flow/outbox.js";
import type { RankOutput } from "../flow/rank-output.js";
import type { Admitted } from "./admission.js";
import { checkBrake } from "./brake-message.js";
import { GapOverflow } from "./overflow/gap.js";
import { KillOverflow } from "./overflow/kill.js";
import type { Overflow } from "./overflow/overflow.js";
import { StopOverflow } from "./overflow/stop.js";
import { type ProcessEvent, readProcessEvent } from "./process.js";
import { ProcessSignals } from "./process-signals.js";
import type { SendQueue } from "./send-queue.js";

/** Output and input streams of one process, by name: each costs memory for as long as it runs. It has no more descriptors, as a rule. */
const MAX_STREAMS = 1024;

export interface FollowedProcessOptions {
  id: number;
  rank: number;
  /** Where its request goes. */
  nodeid: number | undefined;
  admitted: Admitted;
  queue: SendQueue;
  outbox: Outbox;
  brakes: Brakes;
  /** Runs a callback of the broker, or of another session. */
  guard(callback: () => void): void;
  /** Passes on to the client what the server has said. */
  pass(payload: JsonObject): void;
  /** The server takes so much more input. */
  grant(stream: string, bytes: number): void;
  /** Its last message was sent. */
  over(): void;
}

export class FollowedProcess {
  readonly #options: FollowedProcessOptions;
  readonly #output: RankOutput;
  /** Until its pid is known nobody can stop it. */
  #overflow: Overflow;
  #broker: Broker | undefined;
  #pid: number | undefined;
  /** What the server last said of a stop. */
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

  /** Its server has answered. @throws FluxError EPROTO naming what is wrong with the answer */
  response(payload: JsonObject): void {
    const event = read(payload);
    const { admitted, grant, pass } = this.#options;
    switch (event.type) {
      case "output":
        this.#count(event.stream);
        for (const data of event.pieces) {
          admitted.watcher.received(data.length);
          this.#push(event.stream, data);
        }
        // A stream of which something was dropped ends with its rank, in an error.
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

  /** What the client has signed to stop it and let it go on. @throws ProtocolError if it is anything else */
  brake(brake: Brake): void {
    checkBrake(brake, this.#options.admitted.asked, this.#pid);
    this.#overflow.signed(brake.stop, brake.cont);
  }

  /** The client has consumed output. @throws ProtocolError if it is more than was sent */
  consumed(stream: string, bytes: number): void {
    this.#output.consumed(stream, bytes);
  }

  /** What its rank ends with, in place of what its server says. */
  get error(): FluxError | undefined {
    return this.#overflow.error;
  }

  /** The last message of its rank, which comes after all its output. */
  end(last: ControlMessage): void {
    this.#output.end(last);
  }

  /** It is followed no longer: if we hold it, it goes on. */
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
  }

  /** It was started, or attached to. */
  #runs(pid: number, label: string | undefined): void {
    const { admitted, outbox, rank, nodeid, queue, brakes, guard, pass } = this.#options;
    const { asked, overflow, signer } = admitted;
    if (this.#pid !== undefined || this.#broker === undefined) return;
    this.#pid = pid;
    if (overflow === "gap") return;
    const { service } = asked;
    const byClient = asked.signer !== undefined;
    const broker = this.#broker;
    const signals = new ProcessSignals({ service, nodeid, pid, broker, queue, signer, byClient, guard });
    if (overflow === "kill") {
      this.#overflow = new KillOverflow(this.#output, outbox.backlog, signals);
      return;
    }
    const stop = new StopOverflow(this.#output, outbox.backlog, signals, () => pass(this.#stopped));
    this.#overflow = stop;
    const name = { pid, label: asked.label ?? label };
    this.#unregister = brakes.add(service, rank, name, {
      signalled: (signum) => stop.signalled(signum),
      answered: (signum, taken) => guard(() => stop.answered(signum, taken)),
    });
  }
}

function read(payload: JsonObject): ProcessEvent {
  try {
    return readProcessEvent(payload);
  } catch (cause) {
    throw new FluxError("EPROTO", (cause as Error).message, { cause });
  }
}
