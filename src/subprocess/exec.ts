import { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { abortable } from "../session/abort.js";
import type { ProcessEvent } from "./events.js";
import { Foreground, type ForegroundOptions, foregroundRequest } from "./foreground.js";
import { checkInput, type InputSource, pump } from "./input.js";
import type { Target } from "./target.js";

/** Options of {@link exec}. */
export interface ExecOptions extends ForegroundOptions {
  /** Where the process runs. On several ranks it is one process each, and one stream of events. Default: "any". */
  nodeid?: Target | undefined;
  /** What the process reads, the same on each rank. Default: nothing, it finds its standard input at its end. */
  stdin?: InputSource | undefined;
}

/**
 * Runs a process in the foreground (RFC 42 exec, streaming). The Observable is cold: subscribing starts the process,
 * unsubscribing ends it (SIGTERM, then SIGKILL after `killGrace`).
 *
 *     exec(flux, ["make", "-j8"], { nodeid: "0-3" }).pipe(stdout(), lines()).subscribe(console.log);
 *
 * It completes when every rank has delivered everything. An exit status other than 0 is an outcome, not an error. Of
 * several ranks, one that fails gives an `error` event and does not hide the others; the Observable errors if no rank
 * could tell how its process ended, with the FluxError of the first (ENOENT, EACCES: the program cannot be run; EINVAL: the label is
 * taken; EHOSTUNREACH: no such rank; ECONNRESET: the session was lost).
 *
 * @param command the program and its arguments
 * @throws TypeError at once if an argument is wrong
 */
export function exec(
  flux: Flux,
  command: readonly string[],
  options: ExecOptions = {},
): Observable<ProcessEvent> {
  const { nodeid = "any", stdin } = options;
  const request = foregroundRequest(command, nodeid, options);
  if (stdin !== undefined) checkInput(stdin);
  const events = new Observable<ProcessEvent>((subscriber) => {
    const process = new Foreground(flux, request, subscriber);
    // Before the input: a source that cannot be read must not leave a process that nobody ends.
    subscriber.add(() => process.end());
    const writer = process.input("stdin");
    if (stdin === undefined) writer.end();
    else subscriber.add(pump(stdin, writer, (error) => subscriber.error(error)));
  });
  return abortable(events, options.signal);
}
