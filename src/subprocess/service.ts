/** The parts that all verbs share: the service, the ranks, the signature. */
import type { Observable } from "rxjs";
import type { FluxError } from "../errors.js";
import type { Flux } from "../flux.js";
import { abortSignal, boolean, isSubprocessService, timeLimit } from "../protocol/checks.js";
import { type OptionChecks, unchecked } from "../protocol/options.js";
import { ranksRequest } from "../ranks-request.js";
import { request } from "../request.js";
import { type Target, targetNodeid } from "./target.js";

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

/**
 * {@link ServiceOptions}, on one rank or on several.
 *
 * @typeParam N the type of `nodeid`, which decides the type of the result
 */
export interface RankOptions<N extends Target | undefined = Target | undefined> extends ServiceOptions {
  /**
   * The broker rank, or "any", the broker that the proxy is connected to: the result is an {@link Rpc}. Otherwise, also for one rank in
   * an array or in a string, it is a {@link RanksRpc}: one request to all these ranks, with an answer from each.
   * @default "any"
   */
  nodeid?: N | undefined;
  /**
   * Milliseconds until the answer, from when the proxy has the request. Then the rank fails with ETIMEDOUT, and the request may still
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

/** The topic of a method: "rexec.kill". @throws TypeError if `service` is not a subprocess service */
export function topicOf(service: string, method: string): string {
  if (typeof service !== "string" || !/^[^\s\0]+$/.test(service) || !isSubprocessService(service)) {
    throw new TypeError(`not a subprocess service: ${JSON.stringify(service)}`);
  }
  return `${service}.${method}`;
}

/** A request to a subprocess server on one rank. @param read as {@link request} has it */
export function serviceRequest<T>(
  flux: Flux,
  method: string,
  payload: object,
  {
    service = "rexec",
    ...options
  }: RankOptions<number | "any" | undefined> & { program?: string | undefined },
  read: (payload: object, rank: number) => T,
): Observable<T> {
  return request(flux.session, { ...options, topic: topicOf(service, method), payload }, read);
}

/** A request to a subprocess server on several ranks. @param read as {@link ranksRequest} has it */
export function serviceRanksRequest<T>(
  flux: Flux,
  method: string,
  payload: object,
  {
    service = "rexec",
    nodeid = "any",
    sign,
    signal,
    answerTimeout,
    pid,
    program,
  }: RankOptions & { pid?: number | undefined; program?: string | undefined },
  read: (payload: object, rank: number) => T,
): Observable<T | FluxError> {
  const topic = topicOf(service, method);
  // A host may have several ranks, and a pid names a process of one.
  const one = pid !== undefined;
  const request = {
    topic,
    nodeid: targetNodeid(nodeid),
    payload: { ...payload },
    sign,
    signal,
    answerTimeout,
    one,
    program,
  };
  return ranksRequest(flux.session, request, read);
}
