/** The output of one rank of a request, on its way to the client. PROTOCOL.md, "Processes" and "Flow control". */
import { CLOSE, ProtocolError } from "../../src/protocol/protocol-error.js";
import type { ControlMessage } from "./message.js";
import { StreamOutput, type StreamOwner } from "./stream-output.js";

/** Sends the output of many ranks in turns. */
export interface OutputSender {
  /** A stream has something to send. */
  ready(stream: StreamOutput): void;
  /** @param bytes that wait from now on; negative if they no longer wait */
  waits(bytes: number): void;
  /** The client has consumed bytes of a stream. */
  consumed(stream: StreamOutput, bytes: number): void;
  /** All output is sent: this message comes next, and the rank's `inWindow` bytes leave the window. */
  last(message: ControlMessage, inWindow: number): void;
}

/** The rank, and the calls to its owner. */
export interface RankOutputOptions {
  id: number;
  rank: number;
  /** Less output waits than before. */
  drained(): void;
  /** The rank's last message was sent. */
  over(): void;
}

/** One rank's streams. Its last message waits until all are sent. */
export class RankOutput implements StreamOwner {
  readonly id: number;
  readonly rank: number;
  readonly #options: RankOutputOptions;
  readonly #sender: OutputSender;
  readonly #streams = new Map<string, StreamOutput>();
  #bytes = 0;
  /** Defined from `end` until all output is sent. */
  #last: ControlMessage | undefined;

  constructor(options: RankOutputOptions, sender: OutputSender) {
    this.id = options.id;
    this.rank = options.rank;
    this.#options = options;
    this.#sender = sender;
  }

  /** Bytes that wait, of all the rank's streams. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param data must not change any more */
  push(name: string, data: Uint8Array): void {
    const stream = this.#stream(name);
    stream.push(data);
    this.#sender.ready(stream);
  }

  eof(name: string): void {
    const stream = this.#stream(name);
    stream.end();
    this.#sender.ready(stream);
  }

  /** @param last the rank's last message, which waits for all its output */
  end(last: ControlMessage): void {
    this.#last = last;
    this.#finish();
  }

  /** The client has consumed output. @throws ProtocolError if it is more than was sent */
  consumed(name: string, bytes: number): void {
    const stream = this.#streams.get(name);
    const sent = stream?.inWindow ?? 0;
    if (stream === undefined || bytes > sent) {
      throw new ProtocolError(
        CLOSE.malformed,
        `consumed ${bytes} bytes of ${name}, of which ${sent} were left`,
      );
    }
    stream.inWindow -= bytes;
    this.#sender.consumed(stream, bytes);
  }

  /** Drops the oldest chunk of the stream with the most bytes that wait. */
  drop(): void {
    let fullest: StreamOutput | undefined;
    for (const stream of this.#streams.values()) {
      if (stream.bytes > (fullest?.bytes ?? 0)) fullest = stream;
    }
    fullest?.drop();
  }

  waits(bytes: number): void {
    this.#bytes += bytes;
    this.#sender.waits(bytes);
  }

  sent(): void {
    this.#options.drained();
    this.#finish();
  }

  #stream(name: string): StreamOutput {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new StreamOutput(name, this);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  #finish(): void {
    const last = this.#last;
    if (last === undefined) return;
    const streams = [...this.#streams.values()];
    if (streams.some((stream) => !stream.empty)) return;
    this.#last = undefined;
    this.#streams.clear();
    this.#sender.last(
      last,
      streams.reduce((sum, { inWindow }) => sum + inWindow, 0),
    );
    this.#options.over();
  }
}
