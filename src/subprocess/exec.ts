import { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { checkOptions, unchecked } from "../protocol/options.js";
import { abortable } from "../session/abort.js";
import { CHANNELS_OPTION, COMMAND_OPTIONS } from "./command.js";
import type { OneRankEvent, ProcessEvent } from "./events.js";
import { FOREGROUND_OPTIONS, Foreground, type ForegroundOptions, foregroundRequest } from "./foreground.js";
import { checkInput, type InputSource, pump } from "./input.js";
import { LAUNCH_OPTIONS } from "./launch.js";
import { SERVICE_OPTIONS } from "./service.js";
import type { ByTarget, Target } from "./target.js";

/** Options of {@link exec}. */
export interface ExecOptions<N extends Target | undefined = Target | undefined> extends ForegroundOptions {
  /**
   * The ranks. On several ranks, one process runs on each, and all share one stream of events.
   * @default "any"
   */
  nodeid?: N | undefined;
  /**
   * Standard input, the same for each rank.
   * @default no input: the process reads end-of-file at once
   */
  stdin?: InputSource | undefined;
}

/**
 * Runs a process in the foreground (RFC 42 exec, streaming). The Observable is cold: subscribing starts the process, unsubscribing
 * ends it (SIGTERM, then SIGKILL after `killGrace`).
 *
 * It completes when every rank has delivered everything. An exit code other than 0 is an outcome, not an error. A rank of several that
 * fails emits an `error` event, and the others go on; the operators then error with a {@link RankError} at the end.
 *
 * @param command the program and its arguments
 * @param options the ranks, the input, and more
 * @returns errors if no rank has a known outcome, with the FluxError of the first: ENOENT or EACCES if the program cannot be run, EINVAL
 *   if the label is taken, EHOSTUNREACH if no such rank exists, ECONNRESET if the session was lost
 * @throws TypeError if an argument is not valid
 *
 * @example
 * ```ts
 * exec(flux, ["sh", "-c", "echo one; echo two"], { nodeid: 2 })
 *   .pipe(stdout(), lines())
 *   .subscribe((line) => console.log(line)); // one, two
 * exec(flux, ["hostname"], { nodeid: "0-3" })
 *   .pipe(lines(), toArray()) // not stdout(), which is of one rank
 *   .subscribe((all) => console.log(all.map(({ rank }) => rank).sort().join())); // 0,1,2,3
 * ```
 */
export function exec<N extends Target | undefined = undefined>(
  flux: Flux,
  command: readonly string[],
  options: ExecOptions<N> = {},
): Observable<ByTarget<N, OneRankEvent, ProcessEvent>> {
  const given: ExecOptions = options;
  checkOptions(
    "exec",
    given,
    COMMAND_OPTIONS,
    CHANNELS_OPTION,
    LAUNCH_OPTIONS,
    SERVICE_OPTIONS,
    FOREGROUND_OPTIONS,
    { nodeid: unchecked, stdin: unchecked },
  );
  const { nodeid = "any", stdin } = given;
  const request = foregroundRequest(command, nodeid, options);
  if (stdin !== undefined) checkInput(stdin);
  const events = new Observable<ProcessEvent>((subscriber) => {
    const process = new Foreground(flux, request, subscriber);
    // Before the input: if reading the source throws, the process must still end.
    subscriber.add(() => process.end());
    const queue = process.input("stdin");
    if (stdin === undefined) queue.end();
    else subscriber.add(pump(stdin, queue, (error) => subscriber.error(error)));
  });
  return abortable(events, options.signal) as Observable<never>;
}
