/** The ends of one command's processes on their ranks, in the words and exit codes of flux exec. */
import { FluxError, type Outcome, type ProcessEvent, signalName, succeeded } from "../../src/index.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import { explain, say } from "./errors.js";
import { FAILED, outcomeCode, startFailureCode } from "./exit-code.js";

/** The messages of a command on stderr, and its exit code. */
export class Report {
  readonly #command: string;
  readonly #subject: string;
  readonly #quiet: boolean;
  readonly #hosts: ReadonlyMap<number, string> | undefined;
  /** The pid on each rank where the process runs. */
  readonly running = new Map<number, number>();
  readonly #failures: RankOutcome[] = [];
  readonly #reported = new Set<string>();
  #code = 0;

  /**
   * @param command the verb of the command line
   * @param subject the name of the process, for messages
   * @param quiet do not report ranks that do not answer
   * @param hosts the names of hosts, if they tell ranks apart
   */
  constructor(command: string, subject: string, quiet = false, hosts?: ReadonlyMap<number, string>) {
    this.#command = command;
    this.#subject = subject;
    this.#quiet = quiet;
    this.#hosts = hosts;
  }

  /** The greatest exit code so far. */
  get code(): number {
    return this.#code;
  }

  event(event: ProcessEvent): void {
    switch (event.type) {
      case "started":
      case "attached":
        this.running.set(event.rank, event.pid);
        break;
      case "finished":
        this.#finished(event.rank, event.outcome);
        break;
      case "error":
        this.failed(event.error);
        break;
      case "unresponsive":
      case "responsive":
        if (this.#quiet) break;
        say(
          this.#command,
          `${this.#place(event.rank)} ${event.type === "responsive" ? "answers again" : "does not answer"}`,
        );
        break;
      case "gap":
        this.#raise(FAILED);
        say(
          this.#command,
          `Error: ${this.#place(event.rank)}: ${this.#subject}: ${event.bytes} bytes of ${event.stream} were not read in time and are missing`,
        );
        break;
    }
  }

  /** An error of one rank or, where it names none, of the whole command. */
  failed(error: unknown): void {
    const rank = error instanceof FluxError ? error.rank : undefined;
    const notStarted = rank !== undefined && !this.running.has(rank);
    this.#raise(notStarted ? startFailureCode(error as FluxError) : FAILED);
    this.#say(error, rank);
  }

  /** The ranks that did not exit with 0, a line for each outcome: "[0-1]: Exit 7". */
  summary(): string {
    return outcomeLines(this.#failures);
  }

  #finished(rank: number, outcome: Outcome): void {
    this.running.delete(rank);
    this.#raise(outcomeCode(outcome));
    if (outcome.kind === "unknown") this.#say(outcome.cause, outcome.cause.rank);
    if (!succeeded(outcome)) this.#failures.push({ rank, outcome });
  }

  /** Says it once: a lost process is reported with its outcome again, and a lost session with each rank. */
  #say(error: unknown, rank: number | undefined): void {
    const where = rank === undefined ? "" : `${this.#place(rank)}: ${this.#subject}: `;
    const message = `Error: ${where}${explain(error)}`;
    if (this.#reported.has(message)) return;
    this.#reported.add(message);
    say(this.#command, message);
  }

  #place(rank: number): string {
    const host = this.#hosts?.get(rank);
    return host === undefined ? `rank ${rank}` : `rank ${rank} (${host})`;
  }

  #raise(code: number): void {
    this.#code = Math.max(this.#code, code);
  }
}

/** The outcome of a process on one rank. */
interface RankOutcome {
  readonly rank: number;
  readonly outcome: Outcome;
}

/** The ranks whose process did not exit with 0, a line for each outcome: "[0-1]: Exit 7". */
export function outcomeLines(outcomes: readonly RankOutcome[]): string {
  const ranksOf = new Map<string, number[]>();
  for (const { rank, outcome } of outcomes) {
    if (succeeded(outcome)) continue;
    const how = summaryOf(outcome);
    const ranks = ranksOf.get(how) ?? [];
    ranksOf.set(how, ranks);
    ranks.push(rank);
  }
  return [...ranksOf].map(([how, ranks]) => `[${encodeIdset(ranks.sort(ascending))}]: ${how}\n`).join("");
}

function summaryOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return `Exit ${outcome.code}${outcome.timedOut ? " after its timeout" : ""}`;
    case "signaled":
      return signalName(outcome.signal) + (outcome.timedOut ? " after its timeout" : "");
    case "unknown":
      return "outcome unknown";
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
