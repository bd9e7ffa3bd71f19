/** One direction of a connection: what comes from the source goes to the sink, late, in pieces, or not at all. */
import type { Socket } from "node:net";
import type { Faults } from "./faults.js";
import type { Random } from "./random.js";

/** With so many bytes waiting here the source is not read: a direction that stands still pushes back, as a network does. */
const MAX_QUEUED = 256 * 1024;

/** Something that happens when so many bytes have been forwarded. */
export interface Mark {
  readonly after: number;
  reached(): void;
}

/** What came, and when it is to be passed on; without data it is the end. */
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

  /** @param marks by ascending `after`; {@link start} comes before all */
  constructor(source: Socket, sink: Socket, shape: Shape, marks: readonly Mark[], random: Random) {
    this.#source = source;
    this.#sink = sink;
    this.#shape = shape;
    this.#marks = [...marks];
    this.#random = random;
  }

  /** The bytes that have been given to the sink's kernel. */
  get forwarded(): number {
    return this.#forwarded;
  }

  /** The bytes that have been read from the source and not been forwarded. */
  get waiting(): number {
    return this.#queued;
  }

  start(): void {
    this.#source.on("data", (data: Buffer) => this.#arrived(data));
    this.#source.on("end", () => this.#arrived(undefined));
    this.#pump();
  }

  /** Stands still until {@link release}. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#pump();
  }

  /** Forwards nothing from now on, and pushes back when the source goes on sending. */
  freeze(): void {
    if (this.#state === "forwarding") this.#state = "frozen";
    clearTimeout(this.#timer);
  }

  /** Forwards nothing from now on, and takes all that the source sends: unread bytes would turn a FIN into an RST. */
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

  /** Does what can be done now. Called again by whatever it has to wait for. */
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

  /** The next piece: never across a mark. */
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

  /** One piece at a time, so that a mark is reached when its bytes are with the kernel and no more are. */
  #write(piece: Buffer): void {
    this.#writing = true;
    this.#sink.write(piece, (error) => {
      // An error is the link's to tell.
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
