import { Observable, type Subscriber } from "rxjs";
import type { FluxError } from "../errors.js";
import type { Flux } from "../flux.js";
import type { Overflow } from "../protocol/messages.js";
import { SIGNUM } from "../protocol/signals.js";
import { abortable } from "../session/abort.js";
import { attach } from "./attach.js";
import { commandCreate } from "./command.js";
import type { ProcessEvent } from "./events.js";
import { kill } from "./kill.js";
import type { PidRef } from "./process-ref.js";
import { type RexecBgOptions, rexecBg } from "./rexec-bg.js";
import { isOneRank } from "./target.js";
import { wait } from "./wait.js";

/** Options of {@link execBg}. */
export interface ExecBgOptions extends RexecBgOptions<number | "any" | undefined> {
  /**
   * Keep the exit status for {@link wait}, if the process ends while nobody is attached. If its end is followed, `execBg` takes it.
   * @default true
   */
  waitable?: boolean | undefined;
  /**
   * The treatment of output that is not consumed in time, as for {@link exec}.
   * @default "stop"
   */
  overflow?: Overflow | undefined;
}

/**
 * The process waits until the attach is there: without that, its first output would be lost. It then writes a line, by which the client
 * knows that a later stop is not this one.
 */
const GATE = 'kill -STOP $$; echo; exec "$@"';

/** The time between two attempts to take the exit status, in milliseconds: the server may still see the attach. */
const REAP_MS = 50;

/**
 * Runs a process that outlives its session: in background from its start (RFC 42 exec, non-streaming), and attached to before its first
 * output. Unsubscribing lets it go, and so does the end of the session, however it ends. Then {@link list} shows it, {@link attach} follows
 * it, {@link wait} takes its status (EBUSY until the server has seen the end of this attach), and {@link kill} ends it. Unsubscribed from before it has started, it is ended.
 *
 * Flux cannot move a foreground process to background. So this is less than {@link exec}:
 * - it has no input and no channels (RFC 42), and one rank;
 * - output comes by lines. Flux also writes it to the log of the broker;
 * - a shell starts the program, so {@link list} shows "sh". A program that cannot be run exits with 127 or 126, and the reason on stderr;
 * - the token must allow `exec`, `attach` and `kill`, and `wait` unless `waitable` is false.
 *
 * @param command the program and its arguments
 * @param options the rank, the label, and more
 * @returns the events of {@link attach}. Errors with a FluxError as {@link rexecBg} and {@link attach} do
 * @throws TypeError if an argument is not valid, or `stdin` or `channels` is given
 *
 * @example
 * ```ts
 * const options = { label: "training", nodeid: 1 };
 * execBg(flux, ["sh", "-c", "echo begun; sleep 0.2; echo done"], options)
 *   .pipe(stdout(), lines())
 *   .subscribe((line) => console.log(line)); // begun, done
 * ```
 */
export function execBg(
  flux: Flux,
  command: readonly string[],
  options: ExecBgOptions = {},
): Observable<ProcessEvent> {
  const { waitable = true, overflow = "stop", nodeid, signal, service, sign, ...more } = options;
  for (const input of ["stdin", "channels"]) {
    if (input in options) throw new TypeError(`${input}: a process in background has no input`);
  }
  if (!isOneRank(nodeid)) throw new TypeError(`execBg has one rank, and nodeid is ${JSON.stringify(nodeid)}`);
  const { cmdline } = commandCreate(command);
  if (cmdline[0]?.startsWith("-")) throw new TypeError("the program begins with a hyphen");
  const gated = ["sh", "-c", GATE, "sh", ...cmdline];
  const start = rexecBg(flux, gated, { ...more, nodeid, service, sign, waitable });
  // Checks `overflow` now.
  attach(flux, { pid: 1, overflow });
  const events = new Observable<ProcessEvent>((subscriber) => {
    // Not unsubscribed from: a process that has started must not stay stopped.
    start.subscribe({
      next: (ref) => {
        const follower = { flux, process: { ...ref, sign }, cmdline, waitable, overflow };
        if (subscriber.closed) end(follower);
        else follow(follower, subscriber);
      },
      error: (error) => subscriber.error(error),
    });
  });
  return abortable(events, signal);
}

/** The process that was started. */
interface Follower {
  flux: Flux;
  process: PidRef & Pick<ExecBgOptions, "sign">;
  cmdline: readonly string[];
  waitable: boolean;
  overflow: Overflow;
}

function end({ flux, process, waitable }: Follower): void {
  const killed = kill(flux, { ...process, signum: SIGNUM.SIGKILL });
  const reap = () => waitable && wait(flux, process).subscribe({ error: () => {} });
  killed.subscribe({ next: reap, error: () => {} });
}

function follow(follower: Follower, subscriber: Subscriber<ProcessEvent>): void {
  const { flux, process, cmdline, overflow } = follower;
  /** True until the gate has written its line. */
  let gated = true;
  const fail = (error: FluxError) => {
    if (gated) end(follower);
    subscriber.error(error);
  };
  const proceed = () =>
    kill(flux, { ...process, signum: SIGNUM.SIGCONT }).subscribe({
      // The attach has the end of a process that was ended meanwhile.
      error: (error: FluxError) => error.code !== "ESRCH" && gated && fail(error),
    });
  const attachment = attach(flux, { ...process, overflow }).subscribe({
    next: (event) => {
      if (gated && (event.type === "attached" || event.type === "stopped")) proceed();
      if (event.type === "attached") subscriber.next({ ...event, cmd: { ...event.cmd, cmdline } });
      else if (gated && event.type === "output" && event.stream === "stdout") {
        gated = false;
        const data = event.data.subarray(1);
        if (data.length > 0) subscriber.next({ ...event, data });
        if (subscriber.closed) attachment.unsubscribe();
      } else if (!gated || event.type !== "stopped") subscriber.next(event);
    },
    error: fail,
    complete: () => {
      if (!subscriber.closed) reap(follower, () => subscriber.complete());
    },
  });
  // Before the gate has opened, a process that is let go would stay stopped.
  subscriber.add(() => gated || attachment.unsubscribe());
}

/** Takes the exit status, so that the server forgets the process. @param done called when it has, or cannot */
function reap(follower: Follower, done: () => void): void {
  const { flux, process, waitable } = follower;
  if (!waitable) {
    done();
    return;
  }
  wait(flux, process).subscribe({
    next: done,
    error: (error: FluxError) => {
      if (error.code === "EBUSY") setTimeout(() => reap(follower, done), REAP_MS);
      else done();
    },
  });
}
