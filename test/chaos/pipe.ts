/** One direction of a connection. Bytes go from the source to the sink: late, in pieces, or not at all. */
import type { Socket } from "node:net";
import type { Faults } from "./faults.js";
import type { Random } from "./random.js";

/** The source is not read while this many bytes wait: a stalled direction pushes back, as a network does. */
const MAX_QUEUED = 256 * 1024;

/** An action after a number of bytes. */
export interface Mark {
  readonly after: number;
  reached(): void;
}

/** Bytes, and the time to forward them. Without data, the end. */
interface Arrival {
  data: Buffer | undefined;
  readonly due: number;
}

type Shape = Pick<Faults, "latency" | "segment">;

export class Pipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #shape: Shape;
  readonly #random: Random;
  readonly #marks: Mark[];
  readonly #queue: Arrival[] = [];
  #queued = 0;
  #forwarded = 0;
  #due = 0;
  #held = false;
  #state: "forwarding" | "frozen" | "discarding" = "forwarding";
  #writing = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param marks by ascending `after`. {@link start} must come before any byte */
  constructor(source: Socket, sink: Socket, shape: Shape, marks: readonly Mark[], random: Random) {
    this.#source = source;
    this.#sink = sink;
    this.#shape = shape;
    this.#marks = [...marks];
    this.#random = random;
  }

  /** Bytes that the sink's kernel has taken. */
  get forwarded(): number {
    return this.#forwarded;
  }

  /** Bytes that were read and not forwarded. */
  get waiting(): number {
    return this.#queued;
  }

  start(): void {
    this.#source.on("data", (data: Buffer) => this.#arrived(data));
    this.#source.on("end", () => this.#arrived(undefined));
    this.#pump();
  }

  /** Stalls until {@link release}. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#pump();
  }

  /** Stops forwarding, and pushes back if the source continues to send. */
  freeze(): void {
    if (this.#state === "forwarding") this.#state = "frozen";
    clearTimeout(this.#timer);
  }

  /** Stops forwarding, but reads all that the source sends: unread bytes would turn a FIN into an RST. */
  discard(): void {
    this.#state = "discarding";
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#source.resume();
  }

  #arrived(data: Buffer | undefined): void {
    if (this.#state === "discarding") return;
    const { ms, jitter = 0 } = this.#shape.latency ?? { ms: 0 };
    if (this.#shape.latency) {
      this.#due = Math.max(this.#due, performance.now() + ms + this.#random.integer(0, jitter));
    }
    this.#queue.push({ data, due: this.#due });
    this.#queued += data?.length ?? 0;
    if (this.#queued >= MAX_QUEUED) this.#source.pause();
    this.#pump();
  }

  /** Forwards as much as possible. Each event that may allow more calls it again. */
  #pump(): void {
    clearTimeout(this.#timer);
    while (this.#idle && (this.#marks[0]?.after ?? Infinity) <= this.#forwarded)
      this.#marks.shift()?.reached();
    const head = this.#queue[0];
    if (!this.#idle || head === undefined) return;
    const late = head.due - performance.now();
    if (late > 0) this.#timer = setTimeout(() => this.#pump(), Math.ceil(late));
    else if (head.data === undefined) this.#sink.end();
    else this.#write(this.#take(head, head.data));
  }

  get #idle(): boolean {
    return this.#state === "forwarding" && !this.#held && !this.#writing;
  }

  /** The next piece, which never crosses a mark. */
  #take(head: Arrival, data: Buffer): Buffer {
    const { segment } = this.#shape;
    const toMark = (this.#marks[0]?.after ?? Infinity) - this.#forwarded;
    const size = Math.min(
      data.length,
      toMark,
      segment === undefined ? Infinity : this.#random.integer(1, segment),
    );
    if (size === data.length) this.#queue.shift();
    else head.data = data.subarray(size);
    return data.subarray(0, size);
  }

  /** Writes one piece at a time, so that at a mark the kernel has exactly the bytes before it. */
  #write(piece: Buffer): void {
    this.#writing = true;
    this.#sink.write(piece, (error) => {
      // The link reports errors.
      if (error) return;
      this.#forwarded += piece.length;
      this.#queued -= piece.length;
      if (this.#queued < MAX_QUEUED && this.#state === "forwarding") this.#source.resume();
      if (this.#shape.segment === undefined) this.#written();
      else setImmediate(() => this.#written());
    });
  }

  #written(): void {
    this.#writing = false;
    this.#pump();
  }
}
