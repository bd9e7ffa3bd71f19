import { Observable } from "rxjs";
import { FluxError } from "../errors.js";
import type { Flux } from "../flux.js";
import { demand, streamName } from "../protocol/checks.js";
import { Rpc } from "../rpc.js";
import { abortable } from "../session/abort.js";
import { toBytes } from "./bytes.js";

/** Options of {@link write}. */
export interface WriteOptions {
  /** "stdin", the default, or the name of an auxiliary channel. */
  stream?: string | undefined;
  /** Whether this is the end of the stream. Default: false. */
  eof?: boolean | undefined;
  /** When aborted, the Rpc errors with the signal's reason. What waits for room is sent all the same. */
  signal?: AbortSignal | undefined;
}

/**
 * Writes to a process that `exec` runs (RFC 42 write), on every rank that it runs on. Give `exec` the `stdin: NEVER`
 * of RxJS to have its standard input open for this.
 *
 *     exec(flux, ["cat"], { stdin: NEVER }).subscribe((event) => {
 *       if (event.type === "started") write(flux, event, "hello\n", { eof: true }).subscribe();
 *     });
 *
 * @param process a `started` event of the process
 * @param data text, sent as UTF-8, or bytes
 * @returns completes when all is sent, which is when the slowest rank has room for it
 * @throws TypeError if data is neither, or no stream can have that name; FluxError from the Rpc: EPIPE if the process does not read any more
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
    const writer = flux.session.call(process.matchtag)?.input(stream);
    if (writer === undefined) throw new FluxError("EPIPE", "the process has ended");
    const written = writer.write(bytes);
    if (eof) writer.end();
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
