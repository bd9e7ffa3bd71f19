/** A request to several ranks with one answer from each: the base of the verbs on several ranks. */
import { Observable } from "rxjs";
import { FluxError } from "./errors.js";
import { deadline } from "./request.js";
import { abortable } from "./session/abort.js";
import type { CallRequest } from "./session/client-call.js";
import type { Sessions } from "./session/sessions.js";

/** A request to ranks, before it is checked. */
export interface RanksRequest
  extends Pick<CallRequest, "topic" | "payload" | "nodeid" | "sign" | "one" | "program"> {
  signal?: AbortSignal | undefined;
  answerTimeout?: number | undefined;
}

/**
 * A request to several ranks, sent at each subscription. It emits a value or an error for each rank, and errors only if the request had
 * no effect: it could not be sent, or was aborted.
 * @param read makes the value of a rank from its answer's payload
 */
export function ranksRequest<T>(
  session: Sessions,
  { signal, answerTimeout = 30_000, ...request }: RanksRequest,
  read: (payload: object, rank: number) => T,
): Observable<T | FluxError> {
  const template = { ...request, streaming: false, timeout: deadline(answerTimeout), origin: new Error() };
  const send = new Observable<T | FluxError>((subscriber) => {
    const call = session.start(template, {
      next: (message) => {
        try {
          if (message.type === "response") subscriber.next(read(message.payload, message.rank));
          else if (message.type === "error") throw message.error;
        } catch (error) {
          if (!(error instanceof FluxError)) subscriber.error(error);
          else
            subscriber.next(
              error.rank === undefined ? call.error(error.errno, error.reason, message.rank) : error,
            );
        }
      },
      error: (error) => {
        const { errno, reason, cause } = error;
        for (const rank of call.owing) subscriber.next(call.error(errno, reason, rank, cause));
        if (call.id === undefined) subscriber.error(error);
        else subscriber.complete();
      },
      complete: () => subscriber.complete(),
    });
    return () => session.withdraw(call);
  });
  return abortable(send, signal);
}
