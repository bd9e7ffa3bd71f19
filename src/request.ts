/** A request with one answer: the base of {@link Flux.rpc} and of the verbs. */
import { Observable } from "rxjs";
import type { FluxError } from "./errors.js";
import { abortSignal, boolean, demand, rank, timeLimit } from "./protocol/checks.js";
import { type OptionChecks, unchecked } from "./protocol/options.js";
import { abortable } from "./session/abort.js";
import type { Sessions } from "./session/sessions.js";

/** Options of {@link Flux.rpc}. */
export interface RpcOptions {
  /** One answer; see {@link StreamOptions} for any number. */
  streaming?: false | undefined;
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
  answerTimeout?: number | undefined;
}

/** The checks of {@link RpcOptions} and {@link StreamOptions}. */
export const RPC_OPTIONS: OptionChecks<RpcOptions | StreamOptions> = {
  streaming: boolean,
  nodeid: unchecked,
  signal: abortSignal,
  answerTimeout: timeLimit,
};

/** Options of {@link Flux.rpc} for a stream of answers. */
export interface StreamOptions {
  /** Any number of answers (RFC 6 streaming). */
  streaming: true;
  /**
   * The broker rank that answers, or "any": the nearest broker that has the service (RFC 6).
   * @default "any"
   */
  nodeid?: number | "any" | undefined;
  /** When aborted, the stream ends with the signal's reason, and is canceled at the service. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the first answer, from when the proxy has the request. Then the stream errors with ETIMEDOUT.
   * @default Infinity
   */
  answerTimeout?: number | undefined;
}

interface RankRequest extends Omit<RpcOptions, "streaming"> {
  streaming?: boolean | undefined;
  topic: string;
  payload: object;
  sign?: boolean | undefined;
  program?: string | undefined;
}

/**
 * A request with one answer, or with a stream of answers, sent at each subscription. Unsubscribing cancels a stream.
 * @param read makes the emitted value from the answer's payload and the rank that has answered
 */
export function request<T>(
  session: Sessions,
  {
    topic,
    payload,
    nodeid = "any",
    streaming = false,
    sign,
    program,
    signal,
    answerTimeout = streaming ? Number.POSITIVE_INFINITY : 30_000,
  }: RankRequest,
  read: (payload: object, rank: number) => T,
): Observable<T> {
  const template = {
    topic,
    nodeid: rankNodeid(nodeid),
    streaming,
    sign,
    timeout: deadline(answerTimeout),
    origin: new Error(),
    program,
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
    return () => {
      if (!session.withdraw(call) && streaming) session.detach(call);
    };
  });
  return abortable(send, signal);
}

/** The deadline of a request in milliseconds; undefined for no limit, since JSON has no Infinity. */
export function deadline(answerTimeout: number | undefined): number | undefined {
  return answerTimeout === Number.POSITIVE_INFINITY ? undefined : answerTimeout;
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
