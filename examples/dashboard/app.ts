/** What the parts of the page share: the connection, the processes, the runs. */
import {
  attach,
  type ExecOptions,
  exec,
  type Flux,
  type ProcessTable,
  type Subprocess,
  watch,
} from "flux-subprocess";
import {
  auditTime,
  BehaviorSubject,
  catchError,
  concat,
  EMPTY,
  filter,
  NEVER,
  type Observable,
  of,
  share,
  shareReplay,
  startWith,
  switchMap,
  takeUntil,
} from "rxjs";
import { Connection, type Link, type Place } from "./model/connection.js";
import { ProcessList } from "./model/process-list.js";
import type { Run } from "./model/run.js";
import { Runs } from "./model/runs.js";
import { type Sample, samples } from "./model/samples.js";
import { waited } from "./model/waited.js";
import { TerminalPane } from "./view/terminal.js";

/** How late a change may be that does not come through the proxy, and how often the table is drawn at most. */
const INTERVAL_MS = 1000;
const DRAWN_MS = 50;

export class App {
  readonly #connection$ = new BehaviorSubject<Connection | undefined>(undefined);
  /** Undefined until there is a token. */
  readonly link$: Observable<Link | undefined> = this.#connection$.pipe(
    switchMap((connection) => connection?.link$ ?? of(undefined)),
    shareReplay(1),
  );
  readonly processes: ProcessList;
  readonly runs = new Runs<TerminalPane>();
  readonly samples$: Observable<readonly Sample[]>;

  constructor() {
    const table$ = this.#connection$.pipe(
      switchMap((connection) => (connection ? follow(connection) : EMPTY)),
      share(),
    );
    this.processes = new ProcessList(table$, ({ rank, pid }) => this.runs.of(rank, pid)?.title);
    let processes: number | undefined;
    table$.subscribe((table) => {
      processes = table && (tells(table) ? table.processes.length : undefined);
    });
    this.samples$ = samples(() => ({
      // While there is no connection the table is an old one.
      processes: this.#connection$.value?.link.status.state === "open" ? processes : undefined,
      bytes: this.runs.bytes,
    }));
  }

  /** Opens a session. */
  connect(token: string): void {
    this.flux?.close();
    this.#connection$.next(new Connection(token));
  }

  /** Opens another session with the same token. */
  connectAgain(): void {
    const { token } = this.#connection$.value ?? {};
    if (token !== undefined) this.connect(token);
  }

  /** Goes on with a token where there is a session, or else opens one. Rejects if the token is refused for what is open. */
  async take(token: string): Promise<void> {
    const connection = this.#connection$.value;
    const { state } = connection?.link.status ?? {};
    if (connection && (state === "open" || state === "resuming")) await connection.renew(token);
    else this.connect(token);
  }

  /** Forgets the session, and its token. */
  disconnect(): void {
    this.flux?.close();
    this.#connection$.next(undefined);
  }

  get flux(): Flux | undefined {
    return this.#connection$.value?.flux;
  }

  /** Where the session was open, or is. */
  get place(): Place | undefined {
    return this.#connection$.value?.place;
  }

  exec(command: readonly string[], ranks: readonly number[], options: ExecOptions, title: string): void {
    if (!this.flux) return;
    const events = exec(this.flux, command, { ...options, nodeid: ranks.join(",") });
    const input = options.stdin === NEVER;
    this.runs.start({
      kind: "exec",
      title,
      ranks,
      events,
      flux: this.flux,
      display: new TerminalPane(ranks),
      input,
    });
  }

  /** To the output of a process: that of its run if it is one of ours, or else it is attached to. */
  follow({ pid, rank, label, cmd }: Subprocess): Run<TerminalPane> | undefined {
    const ours = this.runs.of(rank, pid);
    if (ours) this.runs.active$.next(ours);
    if (ours || !this.flux) return ours;
    const events = attach(this.flux, { pid, nodeid: rank });
    return this.#alone("attach", label === "-" ? cmd : label, rank, events);
  }

  wait({ pid, rank, label, cmd }: Subprocess): Run<TerminalPane> | undefined {
    if (!this.flux) return undefined;
    return this.#alone("wait", label === "-" ? cmd : label, rank, waited(this.flux, pid, rank));
  }

  #alone(
    kind: "attach" | "wait",
    title: string,
    rank: number,
    events: ReturnType<typeof attach>,
  ): Run<TerminalPane> {
    const ranks = [rank];
    const flux = this.flux as Flux;
    return this.runs.start({ kind, title, ranks, events, flux, display: new TerminalPane(ranks) });
  }
}

/** Whether of any process that there may be something would be heard. */
const tells = ({ processes, errors }: ProcessTable) => processes.length > 0 || errors.length === 0;

/** The processes there are; undefined once the session is over, and its status says why. */
function follow({ flux, link$, renewed$ }: Connection): Observable<ProcessTable | undefined> {
  const over$ = link$.pipe(filter(({ status }) => status.state === "closed"));
  const table$ = renewed$.pipe(
    startWith(undefined),
    // What one token does not show is refused for good; another may.
    switchMap(() => watch(flux, { nodeid: "all", interval: INTERVAL_MS })),
    auditTime(DRAWN_MS),
    catchError(() => EMPTY),
    takeUntil(over$),
  );
  return concat(table$, of(undefined));
}
