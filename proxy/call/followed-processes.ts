/** The processes of a call that follows processes: one for each rank that has answered, until its last message was sent. */
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { AdmittedRequest } from "./admission.js";
import type { CallOwner } from "./call-owner.js";
import { FollowedProcess } from "./followed-process.js";
import type { RankView } from "./ranks.js";

/** The call that follows. */
export interface FollowedProcessesOptions {
  id: number;
  admitted: AdmittedRequest;
  owner: Pick<CallOwner, "queue" | "outbox" | "brakes" | "guard">;
  /** The rank that a request is addressed to; undefined for any. */
  nodeid(rank: number): number | undefined;
  /** Passes a response on to the client. */
  pass(rank: number, payload: JsonObject): void;
  /** The server takes `bytes` more input. */
  grant(rank: number, stream: string, bytes: number): void;
  /** The client was sent the last message of a rank. */
  over(rank: number): void;
}

/** The followed processes by rank. */
export class FollowedProcesses {
  readonly #options: FollowedProcessesOptions;
  readonly #byRank = new Map<number, FollowedProcess>();
  /** Undefined until the request is sent. */
  #broker: Broker | undefined;

  constructor(options: FollowedProcessesOptions) {
    this.#options = options;
  }

  /** The request goes over this connection. */
  start(broker: Broker): void {
    this.#broker = broker;
  }

  /** The process of a rank; undefined before the first answer, and after the last message. */
  get(rank: number): FollowedProcess | undefined {
    return this.#byRank.get(rank);
  }

  /** The process of a rank, followed from now on if it was not. */
  follow(rank: number): FollowedProcess {
    const followed = this.#byRank.get(rank);
    if (followed !== undefined) return followed;
    const { id, admitted, owner, nodeid, pass, grant, over } = this.#options;
    const { queue, outbox, brakes, guard } = owner;
    const process = new FollowedProcess({
      id,
      rank,
      nodeid: nodeid(rank),
      admitted,
      queue,
      outbox,
      brakes,
      guard,
      pass: (payload) => pass(rank, payload),
      grant: (stream, bytes) => grant(rank, stream, bytes),
      over: () => over(rank),
    });
    this.#byRank.set(rank, process);
    if (this.#broker !== undefined) process.start(this.#broker);
    return process;
  }

  /** The last message of a rank was sent. */
  delete(rank: number): void {
    this.#byRank.delete(rank);
  }

  /** Lets the processes of `ranks` go. */
  leave(ranks: RankView): void {
    for (const [rank, process] of this.#byRank) if (ranks.has(rank)) process.leave();
  }
}
