/** A run: the processes of an exec, an attach or a wait, and their output. */
import { consume, type Flux, type FluxError, kill, type ProcessEvent, write } from "flux-subprocess";
import {
  BehaviorSubject,
  catchError,
  concat,
  defer,
  filter,
  firstValueFrom,
  map,
  type Observable,
  of,
  type Subscription,
  tap,
} from "rxjs";
import { entryOf, type RunEvent } from "./run-event.js";
import type { Kind, RankState, RunState } from "./run-state.js";
import type { Entry } from "./transcript.js";

/** Shows a run's entries. */
export interface Display {
  /** Resolves when the entry is on the screen. */
  show(entry: Entry): Promise<void>;
  dispose(): void;
}

export interface RunOptions<D extends Display> {
  kind: Kind;
  title: string;
  ranks: readonly number[];
  events: Observable<ProcessEvent>;
  flux: Flux;
  display: D;
  /** True if the run takes input. @default false */
  input?: boolean;
}

export class Run<D extends Display = Display> {
  readonly kind: Kind;
  readonly title: string;
  readonly display: D;
  readonly state$: BehaviorSubject<RunState>;
  /** Bytes of output so far. */
  bytes = 0;
  readonly #flux: Flux;
  readonly #subscription: Subscription;
  /** The exec's, to which input goes. Undefined before `started`, and for an attach or a wait. */
  #matchtag: number | undefined;

  constructor({ kind, title, ranks, events, flux, display, input = false }: RunOptions<D>) {
    this.kind = kind;
    this.title = title;
    this.display = display;
    this.#flux = flux;
    this.state$ = new BehaviorSubject<RunState>({
      ranks: new Map(ranks.map((rank) => [rank, { rank, phase: "starting" }])),
      over: false,
      paused: false,
      input: input ? "open" : "none",
      unsent: 0,
    });
    // An error becomes a value, so that it waits behind earlier output.
    const events$ = events.pipe(
      map((event): RunEvent => event),
      catchError((error: Error) => of<RunEvent>({ type: "lost", error })),
      tap((event) => this.#track(event)),
    );
    const end = defer(() => {
      this.#change({ over: true, input: input ? "ended" : "none" });
      return [];
    });
    this.#subscription = concat(events$, end)
      .pipe(consume((event) => this.#show(event)))
      .subscribe();
  }

  get state(): RunState {
    return this.state$.value;
  }

  /** The ranks whose process runs. Each has a pid. */
  get running(): readonly RankState[] {
    return [...this.state.ranks.values()].filter(({ phase }) => phase === "running");
  }

  pause(paused: boolean): void {
    this.#change({ paused });
  }

  /** Sends a signal to each rank that runs, or to one rank only. */
  signal(signum: number, name: string, only?: number): void {
    const to = this.running.filter(({ rank }) => only === undefined || rank === only);
    if (to.length === 0) this.say({ type: "note", text: `${name}: no process runs`, bad: true });
    for (const { rank, pid } of to) {
      kill(this.#flux, { pid: pid as number, nodeid: rank, signum }).subscribe({
        complete: () => this.say({ type: "note", rank, text: `was sent ${name}` }),
        error: (error: FluxError) =>
          this.say({ type: "note", rank, text: `${name}: ${error.reason}`, bad: true }),
      });
    }
  }

  send(text: string): void {
    if (this.#matchtag === undefined || this.state.input !== "open") return;
    this.say({ type: "input", text: text.replace(/\n$/, "") });
    this.#change({ unsent: this.state.unsent + text.length });
    this.#write(text, false, () => this.#change({ unsent: this.state.unsent - text.length }));
  }

  endInput(): void {
    if (this.#matchtag === undefined || this.state.input !== "open") return;
    this.say({ type: "note", text: "end of input" });
    this.#change({ input: "ended" });
    this.#write("", true, () => {});
  }

  /** Unsubscribes: an exec's processes end, an attach's process goes back to background, a wait is abandoned. */
  close(): void {
    this.#subscription.unsubscribe();
    this.display.dispose();
  }

  /** Ends an attach. The run stays on the screen. */
  detach(): void {
    this.#subscription.unsubscribe();
    this.#change({ over: true });
    this.say({ type: "note", text: "detached; it still runs" });
  }

  say(entry: Entry): void {
    void this.display.show(entry);
  }

  #write(text: string, eof: boolean, sent: () => void): void {
    write(this.#flux, { matchtag: this.#matchtag as number }, text, { eof }).subscribe({
      complete: sent,
      error: (error: Error) => {
        sent();
        this.#change({ input: "ended" });
        this.say({ type: "note", text: `input: ${error.message}`, bad: true });
      },
    });
  }

  /** Output counts as consumed when this resolves: when it is on the screen, and not before the pause ends. */
  async #show(event: RunEvent): Promise<void> {
    if (this.state.paused) await firstValueFrom(this.state$.pipe(filter(({ paused }) => !paused)));
    const entry = entryOf(event);
    if (entry) await this.display.show(entry);
  }

  #track(event: RunEvent): void {
    if (event.type === "output") this.bytes += event.data.length;
    else if (event.type === "started" || event.type === "attached") {
      if (event.type === "started") this.#matchtag = event.matchtag;
      this.#rank({ rank: event.rank, phase: "running", pid: event.pid });
    } else if (event.type === "finished") {
      this.#rank({ rank: event.rank, phase: "ended", outcome: event.outcome });
    } else if (event.type === "unresponsive" || event.type === "responsive") {
      const before = this.state.ranks.get(event.rank);
      if (before) this.#rank({ ...before, unresponsive: event.type === "unresponsive" });
    } else if (event.type === "error") {
      this.#rank({ rank: event.rank, phase: "failed" });
    } else if (event.type === "lost") {
      for (const { rank, phase } of this.state.ranks.values()) {
        if (phase !== "ended") this.#rank({ rank, phase: "failed" });
      }
    }
  }

  #rank(changed: RankState): void {
    const { ranks } = this.state;
    const before = ranks.get(changed.rank);
    // After `error`, a `finished` with outcome "unknown" may come. It adds nothing.
    if (before?.phase === "failed") return;
    this.#change({ ranks: new Map(ranks).set(changed.rank, { ...before, ...changed }) });
  }

  #change(changed: Partial<RunState>): void {
    this.state$.next({ ...this.state, ...changed });
  }
}
