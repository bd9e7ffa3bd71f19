/** The limits of a session, and of all sessions of a subject together. docs/security.md, "Limits". */
import { Budget } from "../flow/budget.js";

/** Ranks of requests and watches without a last message. */
const RANKS = { session: 65_536, subject: 131_072 };

/** Bytes that wait to be sent to the broker: of a request once for each of its ranks, of input once. */
const BYTES = { session: 256 * 1024 * 1024, subject: 512 * 1024 * 1024 };

/** The budgets of one session. */
export interface Allowance {
  readonly ranks: Budget;
  readonly bytes: Budget;
  /** Each attach has a connection to the broker: a descriptor in the proxy and in the broker. */
  readonly attaches: Budget;
}

interface Subject extends Allowance {
  sessions: number;
}

/** The budgets of all sessions of a proxy. */
export class Allowances {
  readonly #attaches: number;
  readonly #all: Budget;
  readonly #subjects = new Map<string, Subject>();

  /** @param attaches the most attaches of the proxy; a subject may have half of them, a session a quarter */
  constructor(attaches: number) {
    this.#attaches = attaches;
    this.#all = new Budget(`the proxy may have ${attaches} attaches open`, attaches);
  }

  /** The budgets of a new session of a subject. {@link close} gives them back. */
  open(sub: string): Allowance {
    const subject = this.#subjects.get(sub) ?? this.#subject();
    this.#subjects.set(sub, subject);
    subject.sessions++;
    return {
      ranks: budget("session", RANKS.session, "ranks open", subject.ranks),
      bytes: budget("session", BYTES.session, "bytes on their way to the broker", subject.bytes),
      attaches: budget("session", Math.ceil(this.#attaches / 4), "attaches open", subject.attaches),
    };
  }

  /** The session is over, and gives back all that it took. */
  close(sub: string, { ranks, bytes, attaches }: Allowance): void {
    for (const each of [ranks, bytes, attaches]) each.close();
    const subject = this.#subjects.get(sub);
    if (subject !== undefined && --subject.sessions === 0) this.#subjects.delete(sub);
  }

  #subject(): Subject {
    return {
      sessions: 0,
      ranks: budget("subject", RANKS.subject, "ranks open"),
      bytes: budget("subject", BYTES.subject, "bytes on their way to the broker"),
      attaches: budget("subject", Math.ceil(this.#attaches / 2), "attaches open", this.#all),
    };
  }
}

function budget(owner: string, limit: number, unit: string, above?: Budget): Budget {
  return new Budget(`a ${owner} may have ${limit} ${unit}`, limit, above);
}
