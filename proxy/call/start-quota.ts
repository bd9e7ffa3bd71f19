/** The processes that an exec starts, as they count against its subject's quota (proxy/usage.ts). */
import type { Broker } from "../broker/broker.js";
import type { ParsedRequest } from "../policy/parsed-request.js";
import type { CountedProcess, Usage } from "../usage.js";

/** The broker connection of a start. */
export type StartConnection = Pick<Broker, "released">;

/** The quota of one exec. Its processes count from now on. */
export class StartQuota {
  readonly #counted = new Map<number, CountedProcess>();
  /** By rank, the connection over which a background exec was sent. A start that was not sent starts nothing. */
  readonly #sentOver = new Map<number, StartConnection>();

  constructor(usage: Usage, sub: string, exec: ParsedRequest) {
    for (const rank of exec.ranks) this.#counted.set(rank, usage.add(sub, exec.service, rank, exec));
  }

  /** The ranks whose process counts, or may have to. */
  get ranks(): number[] {
    return [...this.#counted.keys()];
  }

  /** The start of a background process was sent. */
  sent(rank: number, connection: StartConnection): void {
    this.#sentOver.set(rank, connection);
  }

  /** The process of a rank runs. */
  started(rank: number, pid: number): void {
    this.#counted.get(rank)?.started(pid);
  }

  /** The process of a rank has ended, or was not started. */
  over(rank: number): void {
    this.#counted.get(rank)?.over();
    this.#counted.delete(rank);
  }

  /** No answer will say whether the process of a rank was started; an answer shows that the broker has read the request. */
  unansweredButRead(rank: number): void {
    const counted = this.#counted.get(rank);
    if (!this.#sentOver.has(rank)) this.over(rank);
    else counted?.unanswered();
    this.#counted.delete(rank);
  }

  /** As {@link unansweredButRead}, but the broker reads the request no later than when it closes the connection. */
  unanswered(rank: number): void {
    const counted = this.#counted.get(rank);
    const connection = this.#sentOver.get(rank);
    if (connection === undefined) this.over(rank);
    else void connection.released().then(() => counted?.unanswered());
    this.#counted.delete(rank);
  }
}
