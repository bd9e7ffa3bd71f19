import { Observable, type OperatorFunction } from "rxjs";

/**
 * Decodes bytes as text. It keeps what a chunk cuts off, so that a character split between two chunks is one.
 *
 * One decoder serves one stream: of several ranks, decode each on its own, with `groupBy(({ rank }) => rank)` before.
 *
 * @param encoding a label of the Encoding standard. Default: "utf-8". Bytes that are not of it become U+FFFD
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
