import { map, Observable, type OperatorFunction } from "rxjs";
import { toBytes } from "../bytes.js";
import { text } from "./text.js";

/**
 * Cuts text, or bytes as UTF-8, into lines without their "\n" or "\r\n". A last line that has no end is a line too; on
 * an error it comes before it.
 */
export function lines(): OperatorFunction<Uint8Array | string, string> {
  return (source) =>
    new Observable((subscriber) => {
      let rest = "";
      const flush = () => {
        if (rest !== "") subscriber.next(rest);
        rest = "";
      };
      return source.pipe(map(toBytes), text()).subscribe({
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
