import { Observable } from "rxjs";
import { deadline, type Flux } from "../flux.js";
import { demand, optional, overflow as overflowCheck } from "../protocol/checks.js";
import type { Overflow } from "../protocol/messages.js";
import { EXEC_FLAG } from "../protocol/rfc42.js";
import { abortable } from "../session/abort.js";
import { type ProcessEvent, ProcessEvents } from "./events.js";
import { type PidOrLabel, processFields, type ServiceOptions, topicOf } from "./service.js";
import { type Target, targetNodeid } from "./target.js";

/** Options of {@link attach}. */
export type AttachOptions = PidOrLabel &
  ServiceOptions & {
    /** Where the process runs; with a label it may be several ranks. Default: "any". */
    nodeid?: Target | undefined;
    /** Whether standard output is forwarded. Default: true. */
    stdout?: boolean | undefined;
    /** Whether standard error is forwarded. Default: true. */
    stderr?: boolean | undefined;
    /**
     * What becomes of output that is not consumed in time, as for `exec`. Default: "gap", since the process is not ours
     * to stop.
     */
    overflow?: Overflow | undefined;
    /** As for `exec`, until the process is attached to. Default: Infinity. */
    timeout?: number | undefined;
  };

/**
 * Follows a process that runs in background (RFC 42 attach). The Observable is cold: subscribing attaches,
 * unsubscribing lets the process go back to background. Its events are those of `exec`, with `attached` for `started`;
 * output from before is not told again.
 *
 *     attach(flux, { label: "server" }).pipe(stderr(), lines()).subscribe(console.error);
 *
 * @throws TypeError at once if neither or both of pid and label are given; FluxError from the Observable: ENOENT if
 *   there is no such process, ENOSYS on "sdexec", EBUSY if it is in the foreground, somebody is attached to it or waits for it
 */
export function attach(flux: Flux, options: AttachOptions): Observable<ProcessEvent> {
  const { service = "rexec", nodeid = "any", stdout = true, stderr = true, overflow } = options;
  demand("overflow", overflow, (value) => optional(value, overflowCheck));
  const request = {
    topic: topicOf(service, "attach"),
    nodeid: targetNodeid(nodeid),
    streaming: true,
    payload: {
      ...processFields(options),
      flags: (stdout ? EXEC_FLAG.stdout : 0) | (stderr ? EXEC_FLAG.stderr : 0),
    },
    sign: options.sign,
    overflow,
    timeout: deadline(options.timeout),
  };
  const followed = new Observable<ProcessEvent>((subscriber) => {
    const call = flux.session.start(request, {
      next: (message) => events.receive(message),
      error: (error) => events.lost(error),
      complete: () => events.complete(),
    });
    const events = new ProcessEvents(subscriber, () => call);
    return () => {
      if (!flux.session.withdraw(call)) flux.session.detach(call);
    };
  });
  return abortable(followed, options.signal);
}
