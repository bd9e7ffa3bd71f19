import type { Observable } from "rxjs";
import type { ProcessEvent } from "../events.js";
import { type Decoder, decode, type Origin } from "./decode.js";
import type { RankErrorOption } from "./rank-failures.js";

/** A piece of text of one stream of one rank. */
export interface RankText extends Origin {
  /** The text. */
  readonly text: string;
}

/**
 * Decodes output as text. A character that is split between two chunks stays one. Of events it gives `{ rank, stream, text }`, each
 * stream of each rank decoded by itself; of bytes it gives strings.
 *
 * Of events, errors as {@link stream} does at a gap and for failed ranks.
 *
 * @param encoding a label of the Encoding standard; bytes that are not valid in it become U+FFFD
 * @param options the treatment of failed ranks
 * @throws RangeError if there is no such encoding
 *
 * @example
 * ```ts
 * exec(flux, ["printf", "\\303\\251"]).pipe(stdout(), text()).subscribe((part) => console.log(part)); // é
 * ```
 */
export function text(
  encoding = "utf-8",
  options: RankErrorOption = {},
): <T extends ProcessEvent | Uint8Array>(
  source: Observable<T>,
) => Observable<T extends ProcessEvent ? RankText : string> {
  new TextDecoder(encoding);
  return (source) =>
    decode(
      source,
      (emit) => textDecoder(encoding, emit),
      ({ rank, stream }, text): RankText => ({ rank, stream, text }),
      options,
    ) as never;
}

function textDecoder(encoding: string, emit: (text: string) => void): Decoder<Uint8Array | string> {
  const decoder = new TextDecoder(encoding);
  const emitSome = (text: string) => {
    if (text !== "") emit(text);
  };
  return {
    push: (bytes) => emitSome(decoder.decode(bytes as Uint8Array, { stream: true })),
    flush: () => emitSome(decoder.decode()),
  };
}
