import { map, Observable, type OperatorFunction } from "rxjs";
import { toBytes } from "../bytes.js";

/**
 * Cuts text, or bytes as UTF-8, into lines without their "\n" or "\r\n". A last line without an end is emitted too, also before an
 * error.
 *
 * @example
 * ```ts
 * from(["one\ntw", "o\nthree"]).pipe(lines()).subscribe((line) => console.log(line)); // one, two, three
 * ```
 */
export function lines(): OperatorFunction<Uint8Array | string, string> {
  return (source) =>
    new Observable((subscriber) => {
      const decoder = new TextDecoder();
      // Text is not decoded, since a chunk of it may end inside a surrogate pair, which UTF-8 cannot encode.
      const decode = (chunk: Uint8Array | string) =>
        typeof chunk === "string"
          ? decoder.decode() + chunk
          : decoder.decode(toBytes(chunk), { stream: true });
      let rest = "";
      const flush = () => {
        rest += decoder.decode();
        if (rest !== "") subscriber.next(rest);
        rest = "";
      };
      return source.pipe(map(decode)).subscribe({
        next: (chunk) => {
          // Searches only the new chunk: the time for a long line in many chunks stays linear.
          let from = 0;
          for (let at = chunk.indexOf("\n"); at >= 0; at = chunk.indexOf("\n", from)) {
            const line = rest + chunk.slice(from, at);
            rest = "";
            from = at + 1;
            subscriber.next(line.endsWith("\r") ? line.slice(0, -1) : line);
          }
          rest += chunk.slice(from);
        },
        error: (error) => {
          flush();
          subscriber.error(error);
        },
        complete: () => {
          flush();
          subscriber.complete();
        },
      });
    });
}
