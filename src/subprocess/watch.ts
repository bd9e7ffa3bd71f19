import { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { checkOptions, unchecked } from "../protocol/options.js";
import { abortable } from "../session/abort.js";
import { type ProcessTable, ProcessTables } from "./process-table.js";
import { SERVICE_OPTIONS, type ServiceOptions, topicOf } from "./service.js";
import { type Target, targetNodeid } from "./target.js";

export type { ProcessTable } from "./process-table.js";

/** Options of {@link watch}. */
export interface WatchOptions extends ServiceOptions {
  /**
   * The ranks.
   * @default "all"
   */
  nodeid?: Target | undefined;
  /**
   * The maximum delay of a change, in milliseconds: the proxy polls an idle rank this often. A process that starts or ends through the
   * proxy shows at once. The proxy takes 100 to 3,600,000, and the nearest of both for any other number.
   * @default 1000
   */
  interval?: number | undefined;
}

/**
 * The processes of a subprocess server, now and after each change. Flux has no counterpart: the proxy polls each rank (RFC 42 list), once
 * for all its watches, and sends the differences.
 *
 * The Observable is cold: each subscription is a watch of its own, until it is unsubscribed. More watches cost the broker nothing. To
 * spare the connection too, parts of a program can use one with `share({ connector: () => new ReplaySubject(1) })`. If many changes at
 * once make too many tables, `auditTime(16)` emits no more than a screen shows. A lost and resumed connection only delays changes.
 *
 * The first table comes when every rank has answered or failed. A failed rank is in `errors`: EHOSTUNREACH if no such rank exists, ENOSYS
 * if it has no such service, ETIMEDOUT while it does not answer, EPERM if the token or the broker does not allow the list or the proxy
 * cannot sign it. The proxy polls the rank on, except after its own refusal: if it refuses every rank, the Observable completes after the
 * table that says so. With a `signer` the client signs the list, again every few seconds; if that fails the Observable errors with EPERM.
 *
 * @param options the ranks, the service and the interval
 * @returns errors with a FluxError when the session is lost
 * @throws TypeError if an option is not valid
 *
 * @example
 * ```ts
 * watch(flux, { nodeid: 3 }).subscribe(({ processes }) => {
 *   console.log(processes.map(({ label, state }) => `${label} ${state}`).join() || "idle"); // idle, nap R
 *   if (processes.length === 0) rexecBg(flux, ["sleep", "60"], { label: "nap", nodeid: 3 }).subscribe();
 * });
 * ```
 */
export function watch(flux: Flux, options: WatchOptions = {}): Observable<ProcessTable> {
  checkOptions("watch", options, SERVICE_OPTIONS, { nodeid: unchecked, interval: unchecked });
  const { nodeid = "all", service = "rexec", interval = 1000, sign } = options;
  if (!Number.isInteger(interval) || interval < 1) {
    throw new TypeError(`interval is a positive integer of milliseconds, not ${JSON.stringify(interval)}`);
  }
  const topic = topicOf(service, "list");
  const request = {
    topic,
    nodeid: targetNodeid(nodeid),
    streaming: true,
    payload: { interval },
    sign,
    origin: new Error(),
  };
  const tables$ = new Observable<ProcessTable>((subscriber) => {
    const tables = new ProcessTables((...failure) => call.error(...failure), service);
    let emitted = false;
    const call = flux.session.start(request, {
      next: (message) => {
        let changed = false;
        try {
          if (message.type === "response") changed = tables.apply(message.rank, message.payload);
          else if (message.type === "error") changed = tables.fail(message.error);
        } catch (error) {
          subscriber.error(error);
        }
        if (tables.size < call.ids || (emitted && !changed)) return;
        emitted = true;
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
