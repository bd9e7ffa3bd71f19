import { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { boolean, overflow as overflowCheck, timeLimit } from "../protocol/checks.js";
import type { Overflow } from "../protocol/messages.js";
import { checkOptions, unchecked } from "../protocol/options.js";
import { EXEC_FLAG } from "../protocol/rfc42.js";
import { deadline } from "../request.js";
import { abortable } from "../session/abort.js";
import { type OneRankEvent, type ProcessEvent, ProcessEvents } from "./events.js";
import { PROCESS_OPTIONS, type ProcessOptions, processFields, processTarget } from "./process-ref.js";
import { SERVICE_OPTIONS, type ServiceOptions, topicOf } from "./service.js";
import { type ByTarget, type Target, targetNodeid } from "./target.js";

/** Options of {@link attach}. */
export type AttachOptions<N extends Target | undefined = Target | undefined> = ProcessOptions &
  ServiceOptions & {
    /**
     * The rank of the process; with a label also several ranks.
     * @default "any"
     */
    nodeid?: N | undefined;
    /**
     * Forward standard output.
     * @default true
     */
    stdout?: boolean | undefined;
    /**
     * Forward standard error.
     * @default true
     */
    stderr?: boolean | undefined;
    /**
     * The treatment of output that is not consumed in time, as for {@link exec}.
     * @default "gap": the process may have other users, who would not expect it to stop
     */
    overflow?: Overflow | undefined;
    /**
     * Milliseconds until a rank has attached, from when the proxy has the request. Then that rank fails with ETIMEDOUT.
     * @default Infinity
     */
    answerTimeout?: number | undefined;
  };

const ATTACH_OPTIONS = {
  nodeid: unchecked,
  stdout: boolean,
  stderr: boolean,
  overflow: overflowCheck,
  answerTimeout: timeLimit,
};

/**
 * Follows a background process (RFC 42 attach). The Observable is cold: subscribing attaches, unsubscribing detaches, and the process
 * runs on. Its events are those of {@link exec}, with `attached` in place of `started`. Earlier output is not repeated.
 *
 * @param options the process, a {@link ProcessRef} or a label on any ranks, and the output to forward
 * @returns errors with a FluxError: ENOENT if no such process exists, ENOSYS on "sdexec", EBUSY if the process is in the foreground, or
 *   another client is attached to it or waits for it
 * @throws TypeError if neither or both of pid and label are given, a pid has several ranks, or an option is not valid
 *
 * @example
 * ```ts
 * const server = await rexecBg(flux, ["sh", "-c", "sleep 1; echo ready"], { label: "server" });
 * attach(flux, server).pipe(stdout(), lines()).subscribe((line) => console.log(line)); // ready
 * ```
 */
export function attach<N extends Target | undefined = undefined>(
  flux: Flux,
  options: AttachOptions<N>,
): Observable<ByTarget<N, OneRankEvent, ProcessEvent>> {
  const given: AttachOptions = options;
  checkOptions("attach", given, PROCESS_OPTIONS, SERVICE_OPTIONS, ATTACH_OPTIONS);
  const { service = "rexec", stdout = true, stderr = true, overflow } = given;
  const request = {
    topic: topicOf(service, "attach"),
    nodeid: targetNodeid(processTarget(given)),
    streaming: true,
    payload: {
      ...processFields(options),
      flags: (stdout ? EXEC_FLAG.stdout : 0) | (stderr ? EXEC_FLAG.stderr : 0),
    },
    sign: options.sign,
    overflow,
    origin: new Error(),
    timeout: deadline(options.answerTimeout),
    one: options.pid !== undefined,
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
  return abortable(followed, options.signal) as Observable<never>;
}
