/** One handle, and the times that it was without a connection. */
import { connect, type Flux, type Status } from "flux-subprocess";
import { map, type Observable, Subject, scan, shareReplay, takeWhile, tap } from "rxjs";
import { type HostNames, hostNames } from "./host-names.js";

/** A time without a connection, in milliseconds since 1970. */
export interface Outage {
  readonly from: number;
  /** Absent while it lasts. */
  readonly until?: number;
  /** True if the session was lost, with the processes in the foreground. */
  readonly lost?: boolean;
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
  link: Link = { status: { state: "connecting", attempt: 1 }, outages: [] };
  /** Undefined until the session was open once. */
  session: SessionInfo | undefined;
  /** The latest names of the hosts. */
  hosts: HostNames = new Map();
  readonly hosts$: Observable<HostNames>;
  /** In memory only: never in storage, URL or log. */
  #token: string;

  /** The proxy has the page's own URL. */
  constructor(token: string) {
    this.#token = token;
    this.flux = connect(location.href, { token: () => this.#token });
    this.hosts$ = hostNames(this.flux).pipe(
      tap((names) => {
        this.hosts = names;
      }),
      shareReplay({ bufferSize: 1, refCount: true }),
    );
    this.link$ = this.flux.status$.pipe(
      map((status) => (isDenied(status) ? { state: "closed" as const, error: status.error } : status)),
      takeWhile(({ state }) => state !== "closed", true),
      scan(follow, this.link),
      shareReplay(1),
    );
    this.link$.subscribe((link) => {
      this.link = link;
      if (link.status.state === "open") this.session = link.status;
      // A token that was refused would be refused again, until the user gives another. Later, since the handle's own "closed" has no error.
      if (link.status.state === "closed") queueMicrotask(() => this.flux.close());
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

/** True if there is no session, and the token allows none. While a session can still be resumed, a new token can save it. */
function isDenied(status: Status): status is Extract<Status, { state: "connecting" }> {
  return status.state === "connecting" && /^(EACCES|EKEYEXPIRED)$/.test(status.error?.code ?? "");
}

function follow({ outages }: Link, status: Status): Link {
  const last = outages.at(-1);
  const open = last?.until !== undefined;
  const before = outages.slice(0, -1);
  if (status.state === "open" && last && !open) {
    return { status, outages: [...before, { ...last, until: Date.now() }] };
  }
  const lost = status.state === "connecting" && status.error !== undefined;
  if (status.state !== "resuming" && !lost) return { status, outages };
  if (last === undefined || open) return { status, outages: [...outages, { from: Date.now(), lost }] };
  return { status, outages: [...before, { ...last, lost: last.lost || lost }] };
}
