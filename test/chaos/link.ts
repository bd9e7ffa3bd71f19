/** One connection through the injector, and what is done to it. */
import type { Socket } from "node:net";
import type { Direction, End, Fault, Faults } from "./faults.js";
import { Pipe } from "./pipe.js";
import type { Random } from "./random.js";

const ENDS: readonly End[] = ["client", "target"];

/**
 * An RST overtakes what its receiver has not read, and a Node that finds it together with the last bytes takes it for
 * a FIN (libuv: EOF on POLLHUP). So that the byte where it happens is exact, receivers get this time to read before;
 * and those in this process a turn of the event loop, for when all of the time went by in one.
 */
const RESET_AFTER_MS = 5;

/** What a link does: it forwards; a fault has ended that; or one of its ends has, in its own way. */
export type LinkState = "forwarding" | "cut" | "reset" | "half-open" | "ended";

export class Link {
  /** Resolves when the sockets of both ends are closed. */
  readonly closed: Promise<void>;
  readonly #sockets: Readonly<Record<End, Socket>>;
  readonly #pipes: Readonly<Record<Direction, Pipe>>;
  readonly #stalls = new Map<Direction, NodeJS.Timeout>();
  readonly #resets: NodeJS.Timeout[] = [];
  readonly #gone = new Set<End>();
  readonly #happened: (fault: Fault, link: Link) => void;
  #state: LinkState = "forwarding";

  /**
   * @param sockets with allowHalfOpen; the target's may still be connecting
   * @param happened is told of each fault when it has happened
   */
  constructor(
    sockets: Readonly<Record<End, Socket>>,
    faults: Faults,
    random: Random,
    happened: (fault: Fault, link: Link) => void = () => {},
  ) {
    this.#sockets = sockets;
    this.#happened = happened;
    const { client, target } = sockets;
    const marks = (direction: Direction) =>
      (faults.at ?? [])
        .filter((fault) => fault.direction === direction)
        .sort((a, b) => a.after - b.after)
        .map((fault) => ({ after: fault.after, reached: () => this.#happen(fault) }));
    this.#pipes = {
      up: new Pipe(client, target, faults, marks("up"), random.fork()),
      down: new Pipe(target, client, faults, marks("down"), random.fork()),
    };
    for (const end of ENDS) {
      sockets[end].on("error", () => this.#failed(end));
      sockets[end].on("end", () => this.#left(end));
    }
    this.closed = Promise.all(
      ENDS.map((end) => new Promise<void>((resolve) => sockets[end].once("close", () => resolve()))),
    ).then(() => this.#finish());
    for (const direction of ["up", "down"] as const) this.#pipes[direction].start();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The bytes that were forwarded. */
  get forwarded(): Readonly<Record<Direction, number>> {
    return { up: this.#pipes.up.forwarded, down: this.#pipes.down.forwarded };
  }

  /** The bytes that are held here on their way. */
  get waiting(): Readonly<Record<Direction, number>> {
    return { up: this.#pipes.up.waiting, down: this.#pipes.down.waiting };
  }

  /** Whether an end has sent its FIN or RST, as far as it is still read. */
  gone(end: End): boolean {
    return this.#gone.has(end);
  }

  /** FIN, to both ends or to one: the other is left half-open. */
  cut(end?: End): void {
    this.#end("cut", end);
  }

  /** RST, to both ends or to one: the other is left half-open. */
  reset(end?: End): void {
    this.#end("reset", end);
  }

  /** Forwards nothing any more and tells nobody. */
  halfOpen(): void {
    if (this.#state === "forwarding") this.#state = "half-open";
    this.#freeze();
  }

  /** @param ms until it goes on by itself; absent: until it is released */
  stall(direction: Direction, ms?: number): void {
    clearTimeout(this.#stalls.get(direction));
    this.#pipes[direction].hold();
    if (ms !== undefined)
      this.#stalls.set(
        direction,
        setTimeout(() => this.release(direction), ms),
      );
  }

  /** Ends the stall of a direction. */
  release(direction: Direction): void {
    clearTimeout(this.#stalls.get(direction));
    this.#pipes[direction].release();
  }

  /** Ends it without regard for what the ends see. */
  destroy(): void {
    this.#finish();
    for (const end of ENDS) this.#sockets[end].destroy();
  }

  #happen(fault: Fault): void {
    if (fault.kind === "stall") this.stall(fault.direction, fault.ms);
    else if (fault.kind === "half-open") this.halfOpen();
    else this.#end(fault.kind, fault.end);
    this.#happened(fault, this);
  }

  /** What is half-open may still be cut or reset, so that a test can let its ends go. */
  #end(how: "cut" | "reset", only: End | undefined): void {
    if (this.#state === "forwarding") this.#state = how;
    this.#freeze();
    for (const end of ENDS) {
      if (only !== undefined && end !== only) continue;
      const socket = this.#sockets[end];
      if (how === "cut") {
        this.#pipes[end === "client" ? "up" : "down"].discard();
        socket.end();
      } else {
        this.#resets.push(setTimeout(() => setImmediate(() => socket.resetAndDestroy()), RESET_AFTER_MS));
      }
    }
  }

  /** An end was reset, or could not be reached: the other hears of it at once. */
  #failed(end: End): void {
    this.#gone.add(end);
    if (this.#state !== "forwarding") return;
    this.#state = "ended";
    this.#freeze();
    this.#sockets[end === "client" ? "target" : "client"].resetAndDestroy();
  }

  /** An end has sent its FIN. While we forward its pipe passes it on; after a fault nobody else is to hear of it. */
  #left(end: End): void {
    this.#gone.add(end);
    if (this.#state !== "forwarding") this.#sockets[end].destroy();
  }

  #freeze(): void {
    for (const timer of this.#stalls.values()) clearTimeout(timer);
    this.#pipes.up.freeze();
    this.#pipes.down.freeze();
  }

  #finish(): void {
    if (this.#state === "forwarding") this.#state = "ended";
    this.#freeze();
    for (const timer of this.#resets) clearTimeout(timer);
  }
}
