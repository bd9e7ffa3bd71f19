/** The parts that all verbs share: the service, the process, the signature. */
import type { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import {
  abortSignal,
  boolean,
  demand,
  isSubprocessService,
  name,
  pid as pidCheck,
  timeLimit,
} from "../protocol/checks.js";
import { type OptionChecks, unchecked } from "../protocol/options.js";
import { request } from "../request.js";

/** The subprocess server of a request, and its signature. */
export interface ServiceOptions {
  /**
   * The subprocess service: "rexec", the broker's own; "sdexec" (docs/sdexec.md); or that of a job shell, whose name ends in ".rexec".
   * @default "rexec"
   */
  service?: string | undefined;
  /**
   * Sign the request (RFC 42 Request Authentication), with the `signer` of {@link connect}, or else by the proxy. A request that cannot be
   * signed is not sent: FluxError EPERM.
   * @default true if the instance owner is another user than that of the requests
   */
  sign?: boolean | undefined;
  /**
   * When aborted, the Observable, Rpc or promise fails with the signal's reason, as `fetch` does. `exec` then ends the process, `attach`
   * detaches and `watch` ends; `spawn` has its own rule. Any other request that was sent still has its effect.
   */
  signal?: AbortSignal | undefined;
}

/** The checks of {@link ServiceOptions}. */
export const SERVICE_OPTIONS: OptionChecks<ServiceOptions> = {
  service: unchecked,
  sign: boolean,
  signal: abortSignal,
};

/** {@link ServiceOptions}, on one rank. */
export interface RankOptions extends ServiceOptions {
  /**
   * The broker rank, or "any": the broker that the proxy is connected to.
   * @default "any"
   */
  nodeid?: number | "any" | undefined;
  /**
   * Milliseconds until the answer, from when the proxy has the request. Then the Rpc errors with ETIMEDOUT, and the request may still
   * have its effect. `Infinity`: no limit. `signal: AbortSignal.timeout(ms)` also counts the time without a connection.
   * @default 30_000; of {@link wait}, Infinity, since a process may run for days
   */
  answerTimeout?: number | undefined;
}

/** The checks of the options that {@link RankOptions} adds. */
export const RANK_OPTIONS: OptionChecks<Omit<RankOptions, keyof ServiceOptions>> = {
  nodeid: unchecked,
  answerTimeout: timeLimit,
};

/** A process on one rank, by pid or by label. */
export type PidOrLabel =
  | {
      /** The process id, 1 to 2147483647. */
      pid: number;
      /** Not with `pid`. */
      label?: undefined;
    }
  | {
      /** The label. */
      label: string;
      /** Not with `label`. */
      pid?: undefined;
    };

/** The checks of {@link PidOrLabel}. */
export const PROCESS_OPTIONS: OptionChecks<PidOrLabel> = { pid: unchecked, label: unchecked };

/** The topic of a method: "rexec.kill". @throws TypeError if `service` is not a subprocess service */
export function topicOf(service: string, method: string): string {
  if (typeof service !== "string" || !/^[^\s\0]+$/.test(service) || !isSubprocessService(service)) {
    throw new TypeError(`not a subprocess service: ${JSON.stringify(service)}`);
  }
  return `${service}.${method}`;
}

/** A request to a subprocess server with one answer. @param read as {@link request} has it */
export function serviceRequest<T>(
  flux: Flux,
  method: string,
  payload: object,
  { service = "rexec", ...options }: RankOptions & { program?: string | undefined },
  read: (payload: object, rank: number) => T,
): Observable<T> {
  return request(flux.session, { ...options, topic: topicOf(service, method), payload }, read);
}

/** The RFC 42 fields that name a process. @throws TypeError if neither or both of pid and label are given, or one is not valid */
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
