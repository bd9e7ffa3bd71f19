/** A request with one answer: the base of {@link Flux.rpc} and of the verbs. */
import { Observable } from "rxjs";
import type { FluxError } from "./errors.js";
import { demand, milliseconds, rank } from "./protocol/checks.js";
import { abortable } from "./session/abort.js";
import type { Sessions } from "./session/sessions.js";

/** Options of {@link Flux.rpc}. */
export interface RpcOptions {
  /**
   * The broker rank that answers, or "any": the nearest broker that has the service (RFC 6).
   * @default "any"
   */
  nodeid?: number | "any" | undefined;
  /** When aborted, the Rpc errors with the signal's reason. A request that was sent still has its effect. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the answer, from when the proxy has the request. Then the Rpc errors with ETIMEDOUT, and the request may
   * still have its effect. `Infinity`: no limit. `signal: AbortSignal.timeout(ms)` also counts the time without a connection.
   * @default 30_000
   */
  timeout?: number | undefined;
}

interface RankRequest extends RpcOptions {
  topic: string;
  payload: object;
  sign?: boolean | undefined;
}

/**
 * A request with one answer, sent at each subscription.
 * @param read makes the emitted value from the answer's payload and the rank that has answered
 */
export function request<T>(
  session: Sessions,
  { topic, payload, nodeid = "any", sign, signal, timeout = 30_000 }: RankRequest,
  read: (payload: object, rank: number) => T,
): Observable<T> {
  const template = {
    topic,
    nodeid: rankNodeid(nodeid),
    streaming: false,
    sign,
    timeout: deadline(timeout),
    origin: new Error(),
  };
  const send = new Observable<T>((subscriber) => {
    const call = session.start(
      { ...template, payload: { ...payload } },
      {
        next: (message) => {
          try {
            if (message.type === "response") subscriber.next(read(message.payload, message.rank));
            else if (message.type === "error") subscriber.error(message.error);
          } catch (error) {
            const { errno, reason } = error as FluxError;
            subscriber.error(errno ? call.error(errno, reason, message.rank) : error);
          }
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      },
    );
    return () => session.withdraw(call);
  });
  return abortable(send, signal);
}

/**
 * The deadline of a request in milliseconds; undefined for no limit.
 * @throws TypeError
 */
export function deadline(timeout = Number.POSITIVE_INFINITY): number | undefined {
  // JSON has no Infinity.
  if (timeout === Number.POSITIVE_INFINITY) return undefined;
  demand("timeout", timeout, milliseconds);
  return timeout;
}

/**
 * The nodeid of one rank, as a request has it.
 * @throws TypeError
 */
export function rankNodeid(nodeid: number | "any"): string {
  if (nodeid === "any") return nodeid;
  demand("nodeid", nodeid, rank);
  return String(nodeid);
}
