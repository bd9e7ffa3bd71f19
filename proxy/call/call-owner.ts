/** The surroundings of a call: the parts of its session and of the proxy that it uses. */
import type { Brakes } from "../flow/brakes.js";
import type { Budget } from "../flow/budget.js";
import type { Outbox } from "../flow/outbox.js";
import type { Scheduler } from "../flow/scheduler.js";
import type { Liveness } from "../liveness/liveness.js";
import type { SendQueue } from "./send-queue.js";

/** The owner of one call. */
export interface CallOwner {
  readonly queue: SendQueue;
  readonly outbox: Outbox;
  readonly brakes: Brakes;
  readonly scheduler: Scheduler;
  readonly liveness: Pick<Liveness, "add">;
  /** The bytes that wait to be sent to the broker. */
  readonly bytes: Pick<Budget, "take" | "give">;
  /**
   * Gives `count` ranks back to the session's allowance: the client was sent their last message, and Flux has answered those that
   * the proxy gave up.
   */
  releaseRanks(count: number): void;
  /** The broker has ended every rank of the call. */
  ended(): void;
  /** Besides, the client was sent every last message: the ids are free. */
  over(): void;
  /** Runs a callback of the broker, whose errors must not reach the broker's connection. */
  guard(callback: () => void): void;
}
