/** What all verbs share: the service that they speak to, and whether the request is signed. */
import type { Observable } from "rxjs";
import { type Flux, request } from "../flux.js";
import { demand, isSubprocessService, name, pid as pidCheck } from "../protocol/checks.js";

/** Which subprocess server a request goes to. */
export interface ServiceOptions {
  /**
   * The subprocess service: "rexec", the default, which is the broker's own; "sdexec" (docs/sdexec.md); or a job shell's, whose name ends
   * in ".rexec".
   */
  service?: string | undefined;
  /**
   * Whether the request is signed (RFC 42 Request Authentication), here by the `signer` of `connect()`, or else by the
   * proxy. Absent: if the owner of the instance is not the user in whose name the request goes. What cannot be signed
   * is not sent: FluxError EPERM.
   */
  sign?: boolean | undefined;
  /**
   * When aborted, what the verb gives errors or rejects with the signal's reason, as `fetch` does. `exec` then ends the
   * process, `attach` detaches and `watch` ends, as unsubscribing does; of `spawn` see there. A request of the others
   * that was sent is not taken back: only its answer is let go.
   */
  signal?: AbortSignal | undefined;
}

/** {@link ServiceOptions}, on one rank. */
export interface RankOptions extends ServiceOptions {
  /** The broker rank, or "any", the default: the one that the proxy is connected to. */
  nodeid?: number | "any" | undefined;
  /**
   * How long the answer may take once the proxy has the request, in milliseconds; then the Rpc errors with ETIMEDOUT, and
   * nobody knows whether the request has had its effect. `Infinity`: for ever. To bound the time without a connection
   * too, use `signal: AbortSignal.timeout(ms)`.
   * @default 30_000; of `wait`, Infinity: a process may run for days
   */
  timeout?: number | undefined;
}

/** A process on one rank: by pid, 1 to 2147483647, or by label, not both. */
export type PidOrLabel = { pid: number; label?: undefined } | { label: string; pid?: undefined };

/** The topic of a method: "rexec.kill". @throws TypeError */
export function topicOf(service: string, method: string): string {
  if (typeof service !== "string" || !/^[^\s\0]+$/.test(service) || !isSubprocessService(service)) {
    throw new TypeError(`not a subprocess service: ${JSON.stringify(service)}`);
  }
  return `${service}.${method}`;
}

/** A request to a subprocess server that has one answer. @param read makes of its payload what is wanted */
export function serviceRequest<T>(
  flux: Flux,
  method: string,
  payload: object,
  { service = "rexec", ...options }: RankOptions,
  read: (payload: object) => T,
): Observable<T> {
  return request(flux, { ...options, topic: topicOf(service, method), payload }, read);
}

/** The RFC 42 fields that name a process. @throws TypeError if neither or both of pid and label are given, or it is no pid or label */
export function processFields({ pid, label }: { pid?: number | undefined; label?: string | undefined }): {
  pid: number;
  label?: string;
} {
  if (pid === undefined && label === undefined) throw new TypeError("one of pid and label must be given");
  if (pid !== undefined && label !== undefined) throw new TypeError("only one of pid and label may be given");
  if (pid === undefined) {
    demand("label", label, name);
    return { pid: -1, label: label as string };
  }
  demand("pid", pid, pidCheck);
  return { pid };
}
