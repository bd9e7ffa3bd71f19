/** One session with the proxy, and the times that it was without a connection. */
import { connect, type Flux, type Status } from "flux-subprocess";
import { type Observable, Subject, scan, shareReplay } from "rxjs";

/** A time without a connection, in milliseconds since 1970. */
export interface Outage {
  readonly from: number;
  /** Absent while it lasts. */
  readonly until?: number;
}

export interface Link {
  readonly status: Status;
  /** Oldest first. */
  readonly outages: readonly Outage[];
}

/** The facts about an open session: its broker's rank, the instance's size, the user, the token's end. */
export type SessionInfo = Extract<Status, { state: "open" }>;

export class Connection {
  readonly flux: Flux;
  readonly link$: Observable<Link>;
  /** Emits when the session has a new token. */
  readonly renewed$ = new Subject<void>();
  link: Link = { status: { state: "connecting" }, outages: [] };
  /** Undefined until the session was open once. */
  session: SessionInfo | undefined;
  /** In memory only: never in storage, URL or log. */
  #token: string;

  /** The proxy has the page's own URL. */
  constructor(token: string) {
    this.#token = token;
    this.flux = connect(location.href, { token: () => this.#token });
    this.link$ = this.flux.status$.pipe(scan(follow, this.link), shareReplay(1));
    this.link$.subscribe((link) => {
      this.link = link;
      if (link.status.state === "open") this.session = link.status;
    });
  }

  get token(): string {
    return this.#token;
  }

  /** Replaces the token without interrupting the session. Rejects if the proxy refuses it; the old token then stays in use. */
  async renew(token: string): Promise<void> {
    const before = this.#token;
    this.#token = token;
    try {
      await this.flux.reconnect();
    } catch (error) {
      this.#token = before;
      throw error;
    }
    this.renewed$.next();
  }
}

function follow({ outages }: Link, status: Status): Link {
  const last = outages.at(-1);
  const lost = last !== undefined && last.until === undefined;
  if (status.state === "resuming" && !lost) return { status, outages: [...outages, { from: Date.now() }] };
  if (status.state === "open" && lost) {
    return { status, outages: [...outages.slice(0, -1), { ...last, until: Date.now() }] };
  }
  return { status, outages };
}
