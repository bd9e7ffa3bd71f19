/** The ranks of a stream of events that fail: an error at the end, after all that the other ranks have given. */
import type { Observer, Subscriber } from "rxjs";
import type { FluxError } from "../../errors.js";
import { RankError } from "../../rank-error.js";
import type { ProcessEvent } from "../events.js";

/** An option of {@link stdout}, {@link lines} and the other operators that take events. */
export interface RankErrorOption {
  /**
   * Error with a {@link RankError} at the end, if a rank has failed.
   * @default true
   */
  rankError?: boolean | undefined;
}

/** True for an event, false for bytes and text. */
export function isEvent(value: unknown): value is ProcessEvent {
  return typeof value === "object" && "type" in (value as object);
}

/**
 * Observes a source for `subscriber`.
 * @param next takes each value
 * @param flush emits what is left, before the end
 */
export function withRankError<T>(
  { rankError = true }: RankErrorOption,
  subscriber: Subscriber<unknown>,
  next: (value: T) => void,
  flush = () => {},
): Observer<T> {
  const failed: FluxError[] = [];
  return {
    next: (value) => {
      if (isEvent(value) && value.type === "error") failed.push(value.error);
      try {
        next(value);
      } catch (error) {
        subscriber.error(error);
      }
    },
    error: (error) => {
      flush();
      // The source errors with the first of them if no rank has a known outcome.
      subscriber.error(failed.includes(error) ? new RankError(failed) : error);
    },
    complete: () => {
      flush();
      if (rankError && failed.length > 0) subscriber.error(new RankError(failed));
      else subscriber.complete();
    },
  };
}
