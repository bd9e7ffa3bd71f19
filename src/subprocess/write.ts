import { Observable } from "rxjs";
import { FluxError } from "../errors.js";
import type { Flux } from "../flux.js";
import { demand, streamName } from "../protocol/checks.js";
import { Rpc } from "../rpc.js";
import { abortable } from "../session/abort.js";
import { toBytes } from "./bytes.js";

/** Options of {@link write}. */
export interface WriteOptions {
  /**
   * "stdin" or the name of an auxiliary channel.
   * @default "stdin"
   */
  stream?: string | undefined;
  /**
   * End the stream after the data.
   * @default false
   */
  eof?: boolean | undefined;
  /** When aborted, the Rpc errors with the signal's reason. Data that waits for room is still sent. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes to a process that {@link exec} runs (RFC 42 write), on all its ranks. To keep its standard input open for this, pass `exec`
 * the option `stdin: NEVER` (RxJS).
 *
 * @param process the `started` event of the process
 * @param data text, sent as UTF-8, or bytes
 * @param options the stream
 * @returns completes when all is sent, so when the slowest rank has room for it. Errors with a FluxError: EPIPE if the process no longer
 *   reads
 * @throws TypeError if `data` is neither text nor bytes, or the name of the stream is not valid
 *
 * @example
 * ```ts
 * exec(flux, ["cat"], { stdin: NEVER }).subscribe((event) => {
 *   if (event.type === "started") write(flux, event, "hello", { eof: true }).subscribe();
 *   else if (event.type === "output") console.log(new TextDecoder().decode(event.data)); // hello
 * });
 * ```
 */
export function write(
  flux: Flux,
  process: { readonly matchtag: number },
  data: string | Uint8Array,
  { stream = "stdin", eof = false, signal }: WriteOptions = {},
): Rpc<void> {
  const bytes = toBytes(data);
  demand("stream", stream, streamName);
  const send = new Observable<void>((subscriber) => {
    const queue = flux.session.call(process.matchtag)?.input(stream);
    if (queue === undefined)
      throw new FluxError("EPIPE", "the process has ended", { subject: `write to ${stream}` });
    const written = queue.write(bytes);
    if (eof) queue.end();
    written.then(
      () => {
        subscriber.next();
        subscriber.complete();
      },
      (error) => subscriber.error(error),
    );
  });
  return new Rpc(abortable(send, signal));
}
