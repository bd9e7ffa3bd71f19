/** Decodes text: of one stream, or of every stream of every rank by itself. */
import { Observable } from "rxjs";
import { gapError, type ProcessEvent } from "../events.js";
import { isEvent, type RankErrorOption, withRankError } from "./rank-failures.js";

/** Where a text comes from. */
export interface Origin {
  /** The broker rank. */
  readonly rank: number;
  /** "stdout", "stderr" or the name of an auxiliary channel. */
  readonly stream: string;
}

/** Decodes the chunks of one stream, and emits texts. */
export interface Decoder<T> {
  push(chunk: T): void;
  /** Emits what is left. */
  flush(): void;
}

/**
 * @param make makes the decoder of a stream, which calls `emit`
 * @param wrap makes the emitted value of a text of an event
 * @param options the treatment of failed ranks
 */
export function decode<T extends ProcessEvent | Uint8Array | string, R>(
  source: Observable<T>,
  make: (emit: (text: string) => void) => Decoder<Uint8Array | string>,
  wrap: (origin: Origin, text: string) => R,
  options: RankErrorOption,
): Observable<R | string> {
  return new Observable((subscriber) => {
    const decoders = new Map<string, Decoder<Uint8Array | string>>();
    const decoder = (key: string, emit: (text: string) => void) => {
      const found = decoders.get(key) ?? make(emit);
      decoders.set(key, found);
      return found;
    };
    const flush = () => {
      for (const each of decoders.values()) each.flush();
    };
    const next = (value: T) => {
      if (!isEvent(value)) {
        decoder("", (text) => subscriber.next(text)).push(value);
        return;
      }
      if (value.type === "gap") {
        flush();
        subscriber.error(gapError(value));
      }
      if (value.type !== "output" && value.type !== "eof") return;
      const { rank, stream } = value;
      const key = `${rank} ${stream}`;
      if (value.type === "output") {
        decoder(key, (text) => subscriber.next(wrap({ rank, stream }, text))).push(value.data);
      } else {
        decoders.get(key)?.flush();
        decoders.delete(key);
      }
    };
    return source.subscribe(withRankError(options, subscriber, next, flush));
  });
}
