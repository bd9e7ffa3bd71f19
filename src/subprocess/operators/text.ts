import { Observable, type OperatorFunction } from "rxjs";

/**
 * Decodes bytes as text. A character that is split between two chunks stays one.
 *
 * One decoder serves one stream. To decode several ranks, put `groupBy(({ rank }) => rank)` before and decode each group.
 *
 * @param encoding a label of the Encoding standard; bytes that are not valid in it become U+FFFD
 *
 * @example
 * ```ts
 * exec(flux, ["printf", "\\303\\251"]).pipe(stdout(), text()).subscribe((part) => console.log(part)); // é
 * ```
 */
export function text(encoding = "utf-8"): OperatorFunction<Uint8Array, string> {
  return (source) =>
    new Observable((subscriber) => {
      const decoder = new TextDecoder(encoding);
      const emit = (decoded: string) => {
        if (decoded !== "") subscriber.next(decoded);
      };
      return source.subscribe({
        next: (bytes) => emit(decoder.decode(bytes, { stream: true })),
        error: (error) => {
          emit(decoder.decode());
          subscriber.error(error);
        },
        complete: () => {
          emit(decoder.decode());
          subscriber.complete();
        },
      });
    });
}
