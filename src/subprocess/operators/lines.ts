import type { Observable } from "rxjs";
import { toBytes } from "../bytes.js";
import type { ProcessEvent } from "../events.js";
import { type Decoder, decode, type Origin } from "./decode.js";
import type { RankErrorOption } from "./rank-failures.js";

/** A line of one stream of one rank. */
export interface RankLine extends Origin {
  /** The line, without its "\n" or "\r\n". */
  readonly line: string;
}

/**
 * Cuts output into lines without their "\n" or "\r\n". Of events it gives `{ rank, stream, line }`: each stream of each rank has lines of
 * its own. Of text, or bytes as UTF-8, it gives strings. A last line without an end is emitted too, also before an error.
 *
 * Of events, errors as {@link stream} does at a gap and for failed ranks.
 *
 * @param options the treatment of failed ranks
 *
 * @example
 * ```ts
 * exec(flux, ["echo", "hello"], { nodeid: "0-1" })
 *   .pipe(lines(), toArray())
 *   .subscribe((all) => console.log(all.map(({ rank, line }) => `${rank}: ${line}`).sort().join())); // 0: hello,1: hello
 * from(["one\ntw", "o\nthree"]).pipe(lines()).subscribe((line) => console.log(line)); // one, two, three
 * ```
 */
export function lines(
  options: RankErrorOption = {},
): <T extends ProcessEvent | Uint8Array | string>(
  source: Observable<T>,
) => Observable<T extends ProcessEvent ? RankLine : string> {
  return (source) =>
    decode(
      source,
      lineCutter,
      ({ rank, stream }, line): RankLine => ({ rank, stream, line }),
      options,
    ) as never;
}

function lineCutter(emit: (line: string) => void): Decoder<Uint8Array | string> {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    push: (chunk) => {
      // Text is not decoded, since a chunk of it may end inside a surrogate pair, which UTF-8 cannot encode.
      const text =
        typeof chunk === "string"
          ? decoder.decode() + chunk
          : decoder.decode(toBytes(chunk), { stream: true });
      // Searches only the new text: the time for a long line in many chunks stays linear.
      let from = 0;
      for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
        const line = rest + text.slice(from, at);
        rest = "";
        from = at + 1;
        emit(line.endsWith("\r") ? line.slice(0, -1) : line);
      }
      rest += text.slice(from);
    },
    flush: () => {
      rest += decoder.decode();
      if (rest !== "") emit(rest);
      rest = "";
    },
  };
}
