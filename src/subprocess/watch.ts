import { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { abortable } from "../session/abort.js";
import { type ProcessTable, ProcessTables } from "./process-table.js";
import { type ServiceOptions, topicOf } from "./service.js";
import { type Target, targetNodeid } from "./target.js";

export type { ProcessTable } from "./process-table.js";

/** Options of {@link watch}. */
export interface WatchOptions extends ServiceOptions {
  /** The ranks. Default: "all". */
  nodeid?: Target | undefined;
  /**
   * By how many milliseconds a change may be late: how often the proxy asks a rank on which nothing happens. What is
   * started or ended through the proxy shows at once, whatever this is. Default 1000; the proxy takes 100 to 3,600,000
   * and goes to the nearest of both for what is beyond.
   */
  interval?: number | undefined;
}

/**
 * The processes that a subprocess server has, now and after each change. Flux has no counterpart: the proxy asks each rank
 * again and again (RFC 42 list), once for all who watch it, and sends what is different.
 *
 *     watch(flux).subscribe(({ processes, errors }) => draw(processes, errors));
 *
 * The Observable is cold: each subscription is a watch of its own, which ends when it is unsubscribed from. That costs
 * the broker nothing more; to spare the connection too, several parts of a program use one with
 * `share({ connector: () => new ReplaySubject(1) })`. Many changes at a time may be many tables: `auditTime(16)` draws no
 * more of them than a screen shows. A connection that is lost and resumed is not noticed, but for what is late.
 *
 * The first table comes when every rank has answered or failed. A rank that fails is in `errors`: EHOSTUNREACH if there
 * is no such rank, ENOSYS if it has no such service, ETIMEDOUT while it does not answer, EPERM if the token or the broker
 * does not allow it, or the proxy cannot sign it. With a `signer` the client signs the list, again every few seconds; if that
 * fails the Observable errors with EPERM. What the proxy refuses is for good; where that is every rank, the Observable completes after the table that says so. All other ranks
 * are asked on.
 *
 * @throws TypeError at once if an option can never be right; FluxError from the Observable when the session is lost
 */
export function watch(flux: Flux, options: WatchOptions = {}): Observable<ProcessTable> {
  const { nodeid = "all", service = "rexec", interval = 1000, sign } = options;
  if (!Number.isInteger(interval) || interval < 1) {
    throw new TypeError(`interval is a positive integer of milliseconds, not ${JSON.stringify(interval)}`);
  }
  const topic = topicOf(service, "list");
  const request = { topic, nodeid: targetNodeid(nodeid), streaming: true, payload: { interval }, sign };
  const tables$ = new Observable<ProcessTable>((subscriber) => {
    const tables = new ProcessTables(topic);
    let told = false;
    const call = flux.session.start(request, {
      next: (message) => {
        let changed = false;
        try {
          if (message.type === "response") changed = tables.tell(message.rank, message.payload);
          else if (message.type === "error") changed = tables.fail(message.error);
        } catch (error) {
          subscriber.error(error);
        }
        if (tables.size < call.ids || (told && !changed)) return;
        told = true;
        subscriber.next(tables.table);
      },
      error: (error) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
    return () => {
      if (!flux.session.withdraw(call)) flux.session.detach(call);
    };
  });
  return abortable(tables$, options.signal);
}
