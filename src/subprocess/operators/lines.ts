import { map, Observable, type OperatorFunction } from "rxjs";
import { toBytes } from "../bytes.js";

/**
 * Cuts text, or bytes as UTF-8, into lines without their "\n" or "\r\n". A last line that has no end is a line too; on
 * an error it comes before it.
 */
export function lines(): OperatorFunction<Uint8Array | string, string> {
  return (source) =>
    new Observable((subscriber) => {
      const decoder = new TextDecoder();
      // Text is not decoded: a chunk of it may end inside a surrogate pair, which no UTF-8 can carry.
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
          // Only the new chunk is searched: a long line in many chunks is not searched again and again.
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
