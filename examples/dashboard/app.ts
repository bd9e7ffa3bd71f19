/** The state that the parts of the page share: the connection, the processes, the runs. */
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
  combineLatest,
  concat,
  EMPTY,
  filter,
  map,
  NEVER,
  type Observable,
  of,
  retry,
  share,
  shareReplay,
  startWith,
  switchMap,
  takeUntil,
} from "rxjs";
import { Connection, type Link, type SessionInfo } from "./model/connection.js";
import type { HostNames } from "./model/host-names.js";
import { ProcessList } from "./model/process-list.js";
import type { Run } from "./model/run.js";
import { Runs } from "./model/runs.js";
import { type Sample, samples } from "./model/samples.js";
import { waitEvents } from "./model/wait-events.js";
import { TerminalPane } from "./view/terminal.js";

/** The proxy's poll interval: the most delay of a change that another client makes. */
const INTERVAL_MS = 1000;
/** The least time between two drawings of the table. */
const DRAW_MS = 50;

export class App {
  readonly #connection$ = new BehaviorSubject<Connection | undefined>(undefined);
  /** Emits undefined while there is no token. */
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
      processes = table && (isConclusive(table) ? table.processes.length : undefined);
    });
    this.samples$ = samples(() => ({
      // Without a connection the table is out of date.
      processes: this.#connection$.value?.link.status.state === "open" ? processes : undefined,
      bytes: this.runs.bytes,
    }));
  }

  /** Opens a session. */
  connect(token: string): void {
    this.flux?.close();
    this.#connection$.next(new Connection(token));
  }

  /** Opens a new session with the same token. */
  connectAgain(): void {
    const { token } = this.#connection$.value ?? {};
    if (token !== undefined) this.connect(token);
  }

  /** Renews the session's token, or opens a session. Rejects if the open session refuses the token. */
  async take(token: string): Promise<void> {
    const connection = this.#connection$.value;
    const { state } = connection?.link.status ?? {};
    if (connection && (state === "open" || state === "resuming")) await connection.renew(token);
    else this.connect(token);
  }

  /** Closes the session and forgets its token. */
  disconnect(): void {
    this.flux?.close();
    this.#connection$.next(undefined);
  }

  get flux(): Flux | undefined {
    return this.#connection$.value?.flux;
  }

  /** The latest facts about the session; undefined until it has been open. */
  get session(): SessionInfo | undefined {
    return this.#connection$.value?.session;
  }

  /** The names of the hosts; empty where they do not tell ranks apart. */
  get hosts(): HostNames {
    return this.#connection$.value?.hosts ?? new Map();
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

  /** Shows the output of a process: in the run of this page that has it, otherwise in a new attach. */
  follow({ pid, rank, label, cmd }: Subprocess): Run<TerminalPane> | undefined {
    const run = this.runs.of(rank, pid);
    if (run) this.runs.active$.next(run);
    if (run || !this.flux) return run;
    const events = attach(this.flux, { pid, nodeid: rank });
    return this.#start("attach", label === "-" ? cmd : label, rank, events);
  }

  wait({ pid, rank, label, cmd }: Subprocess): Run<TerminalPane> | undefined {
    if (!this.flux) return undefined;
    return this.#start("wait", label === "-" ? cmd : label, rank, waitEvents(this.flux, pid, rank));
  }

  #start(
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

/** A table with errors and no rows may mean that no rank has answered, so its count says nothing. */
const isConclusive = ({ processes, errors }: ProcessTable) => processes.length > 0 || errors.length === 0;

/** The process tables of one session after another, then undefined when the handle is closed. The status has the reason. */
function follow({ flux, link$, renewed$, hosts$ }: Connection): Observable<ProcessTable | undefined> {
  const closed$ = link$.pipe(filter(({ status }) => status.state === "closed"));
  const table$ = renewed$.pipe(
    startWith(undefined),
    // A token that does not allow the watch ends it, so a new token needs a new watch.
    switchMap(() => watch(flux, { nodeid: "all", interval: INTERVAL_MS })),
    auditTime(DRAW_MS),
    // A watch waits for the next session. The delay is for one that is refused at once.
    retry({ delay: INTERVAL_MS }),
  );
  // Names that come after the table draw it again.
  const named$ = combineLatest([table$, hosts$]).pipe(
    map(([table]) => table),
    takeUntil(closed$),
  );
  return concat(named$, of(undefined));
}
