/** One connection through the injector, and its faults. */
import type { Socket } from "node:net";
import type { Direction, End, Fault, Faults } from "./faults.js";
import { Pipe } from "./pipe.js";
import type { Random } from "./random.js";

const ENDS: readonly End[] = ["client", "target"];

/**
 * An RST discards bytes that its receiver has not read, and Node reports an RST that it finds together with the last bytes as a
 * FIN (libuv: EOF on POLLHUP). So that the fault's byte is exact, receivers get this time to read first, in milliseconds.
 * Receivers in this process also get a turn of the event loop, in case one turn took all that time.
 */
const RESET_AFTER_MS = 5;

/** A link forwards, until a fault or one of its ends ends it. */
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
   * @param happened called after each fault has happened
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

  /** Bytes that were forwarded. */
  get forwarded(): Readonly<Record<Direction, number>> {
    return { up: this.#pipes.up.forwarded, down: this.#pipes.down.forwarded };
  }

  /** Bytes in the injector's buffers. */
  get waiting(): Readonly<Record<Direction, number>> {
    return { up: this.#pipes.up.waiting, down: this.#pipes.down.waiting };
  }

  /** True if an end has sent FIN or RST. False for an end that the link no longer reads. */
  gone(end: End): boolean {
    return this.#gone.has(end);
  }

  /** Sends FIN to both ends, or to one: the other stays half-open. */
  cut(end?: End): void {
    this.#end("cut", end);
  }

  /** Sends RST to both ends, or to one: the other stays half-open. */
  reset(end?: End): void {
    this.#end("reset", end);
  }

  /** Stops forwarding. Neither end hears of it. */
  halfOpen(): void {
    if (this.#state === "forwarding") this.#state = "half-open";
    this.#freeze();
  }

  /** @param ms the length of the stall. @default until `release` */
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

  /** Destroys both sockets at once. */
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

  /** A half-open link may still be cut or reset, so that a test can free its ends. */
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

  /** An end was reset, or is unreachable. The other hears of it at once. */
  #failed(end: End): void {
    this.#gone.add(end);
    if (this.#state !== "forwarding") return;
    this.#state = "ended";
    this.#freeze();
    this.#sockets[end === "client" ? "target" : "client"].resetAndDestroy();
  }

  /** An end has sent FIN. The pipe forwards it, but after a fault the other end must not hear of it. */
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
