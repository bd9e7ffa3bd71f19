/** One session with the proxy, and what became of its connections. */
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

/** Where an open session is. */
export type Place = Extract<Status, { state: "open" }>;

export class Connection {
  readonly flux: Flux;
  readonly link$: Observable<Link>;
  /** The session has gone on with another token. */
  readonly renewed$ = new Subject<void>();
  link: Link = { status: { state: "connecting" }, outages: [] };
  /** The latest that is known. */
  place: Place | undefined;
  /** In memory, and nowhere else. */
  #token: string;

  /** The proxy is where the page came from, at the same path. */
  constructor(token: string) {
    this.#token = token;
    this.flux = connect(location.href, { token: () => this.#token });
    this.link$ = this.flux.status$.pipe(scan(follow, this.link), shareReplay(1));
    this.link$.subscribe((link) => {
      this.link = link;
      if (link.status.state === "open") this.place = link.status;
    });
  }

  get token(): string {
    return this.#token;
  }

  /** Goes on with another token, without an interruption. Rejects if it is refused; then the one there is stays. */
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
