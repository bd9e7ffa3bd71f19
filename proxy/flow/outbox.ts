/**
 * The messages to one client: numbered, kept until they are acknowledged, and sent again after their socket was lost. Output waits
 * here for the window and for the network; other messages do not wait for output. PROTOCOL.md, "Sequence",
 * "Resuming" and "Flow control".
 */
import { encodeDataFrame } from "../../src/protocol/frame.js";
import { stringifyJson } from "../../src/protocol/json.js";
import { ACK_BYTES, OUTPUT_WINDOW } from "../../src/protocol/messages.js";
import { Replay } from "../../src/protocol/replay.js";
import { Backlog } from "./backlog.js";
import { Fifo } from "./fifo.js";
import type { ControlMessage } from "./message.js";
import { type OutputSender, RankOutput, type RankOutputOptions } from "./rank-output.js";
import { RoundRobin } from "./round-robin.js";
import { ChangedStates, type State } from "./states.js";
import type { StreamOutput } from "./stream-output.js";
import { Window } from "./window.js";

/** The socket of a client, as far as output needs it. */
export interface OutboxSocket {
  sendText(text: string): void;
  sendBinary(bytes: Uint8Array): void;
  /** Bytes handed over and not yet given to the network. */
  readonly bufferedAmount: number;
}

/** Options of an {@link Outbox}. */
export interface OutboxOptions {
  /** True if the session may get another socket, over which unacknowledged messages are sent again. */
  replay: boolean;
  /** More is unacknowledged than may be kept: the session must end with 4413. */
  overrun(): void;
}

/** Messages wait while the network holds this many bytes: one that does not wait for output is behind this and one frame at most. */
const AHEAD = 256 * 1024;

/** Characters of messages without process bytes that may be unacknowledged before one more is too much. */
const MAX_UNACKED = 16 * 1024 * 1024;

/** Characters of one response: a longer one would leave no room for the next message. */
export const MAX_RESPONSE = MAX_UNACKED / 2;

/** While more characters than this are unacknowledged, the proxy sends no further requests to many ranks: the answers need room. */
const MAX_ANSWERS = 4 * 1024 * 1024;

/**
 * States wait while more characters than this are unacknowledged. A client that works leaves fewer. A state that changes meanwhile is
 * sent once.
 */
const MAX_STATES = 4 * ACK_BYTES;

/** Output waits while this many messages are unacknowledged: a message of a few bytes costs more than the window counts. */
const MAX_MESSAGES = 16_384;

/**
 * Output waits while this many bytes of it are unacknowledged, consumed or not. A client that consumes also acknowledges, and leaves
 * fewer.
 */
const MAX_OUTPUT_UNACKED = 2 * OUTPUT_WINDOW;

/** The messages to one client. */
export class Outbox {
  /** The output of all ranks that waits. */
  readonly backlog = new Backlog();
  readonly #options: OutboxOptions;
  /** Process bytes do not count in it. */
  readonly #replay: Replay;
  /** Output that is not acknowledged. */
  readonly #frames = new Fifo<{ seq: number; bytes: number }>();
  #unacked = 0;
  readonly #window = new Window();
  readonly #turns = new RoundRobin<StreamOutput>();
  readonly #states = new ChangedStates();
  /** True if a state was next, and not output. */
  #telling = false;
  #socket: OutboxSocket | undefined;
  /** The last message that was given to the socket. */
  #sent = 0;
  #onEmpty: (() => void) | undefined;
  #flushing = false;
  /** Called when it is {@link congested} no longer. */
  #relief: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#replay = new Replay({ keep: options.replay });
  }

  /** True if {@link attach} can go on after message `received`: it was sent, and every later message is kept. */
  canResume(received: number): boolean {
    return this.#options.replay ? received <= this.#replay.last : received + this.#replay.last === 0;
  }

  /**
   * Sends over this socket from now on. First it sends the messages after `received` again.
   * @returns false if that was never sent
   */
  attach(socket: OutboxSocket, received: number): boolean {
    const nothing = received === 0 && this.#replay.last === 0;
    const taken = nothing ? 0 : this.#replay.resume(received);
    if (taken === undefined) return false;
    this.#taken(taken);
    this.#socket = socket;
    this.backlog.present = true;
    this.#sent = taken;
    this.#flush();
    return true;
  }

  /** The socket is gone. Messages wait for the next socket. */
  detach(): void {
    this.#socket = undefined;
    this.backlog.present = false;
  }

  /** The network has taken some of the buffered bytes. */
  drained(): void {
    this.#flush();
  }

  /**
   * Drops the messages up to `seq`. One that came over the socket before, and waits to be sent again, is not sent.
   * @throws ProtocolError if it is of a message that was never sent
   */
  ack(seq: number): void {
    this.#replay.ack(seq);
    this.#taken(seq);
    this.#sent = Math.max(this.#sent, seq);
    this.#flush();
  }

  /** The numbers of the last message and of the last acknowledged one, and the characters without process bytes between them. */
  get progress(): { last: number; acked: number; unacked: number } {
    const { last, unacked, bytes } = this.#replay;
    return { last, acked: last - unacked, unacked: bytes };
  }

  /** True if so much is unacknowledged that the proxy should not cause further messages. */
  get congested(): boolean {
    return this.#replay.bytes > MAX_ANSWERS;
  }

  /** Resolves when it is {@link congested} no longer. */
  relieved(): Promise<void> {
    return this.congested ? new Promise((resolve) => this.#relief.push(resolve)) : Promise.resolve();
  }

  #taken(last: number): void {
    if (!this.congested) for (const relieve of this.#relief.splice(0)) relieve();
    for (
      let frame = this.#frames.first;
      frame !== undefined && frame.seq <= last;
      frame = this.#frames.first
    ) {
      this.#unacked -= frame.bytes;
      this.#frames.shift();
    }
  }

  /** Sends a message before output that waits. */
  send(message: ControlMessage): void {
    this.sendWithin(Number.POSITIVE_INFINITY, message);
  }

  /** As {@link send}. @returns false if the message is longer than `limit` characters, and not sent */
  sendWithin(limit: number, message: ControlMessage): boolean {
    if (this.#replay.bytes > MAX_UNACKED) {
      this.#options.overrun();
      return true;
    }
    const text = stringifyJson({ ...message, seq: this.#replay.last + 1 });
    if (text.length > limit) return false;
    this.#push(text, text.length);
    return true;
  }

  /** A state may have changed. Its message is made when the network has room for it, in turns with output. */
  changed(state: State): void {
    this.#states.add(state);
    this.#flush();
  }

  /** A state is not to be sent any more. */
  forget(state: State): void {
    this.#states.delete(state);
  }

  /** Opens the output of a rank. */
  open(options: RankOutputOptions): RankOutput {
    return new RankOutput(options, this.#sender);
  }

  /** Calls `then` once, when no message waits any more. */
  whenEmpty(then: () => void): void {
    this.#onEmpty = then;
    this.#flush();
  }

  readonly #sender: OutputSender = {
    ready: (stream) => {
      this.#turns.add(stream);
      this.#flush();
    },
    waits: (bytes) => this.backlog.add(bytes),
    consumed: (stream, bytes) => {
      this.#window.give(bytes);
      if (!stream.empty) this.#turns.add(stream);
      this.#flush();
    },
    last: (message, inWindow) => {
      this.#window.give(inWindow);
      this.send(message);
      this.#flush();
    },
  };

  #flush(): void {
    // A sent message may be the last of a rank, and free others that wait: the loop below finds them.
    if (this.#flushing) return;
    this.#flushing = true;
    this.#sendAgain();
    while (this.#maySend()) {
      // One of each, also where the network has room for one at a time.
      this.#telling = !this.#telling;
      const sent = this.#telling ? this.#tell() || this.#output() : this.#output() || this.#tell();
      if (!sent) break;
    }
    this.#flushing = false;
    if (this.#onEmpty === undefined || this.#sent < this.#replay.last || !this.#turns.empty) return;
    const then = this.#onEmpty;
    this.#onEmpty = undefined;
    then();
  }

  /** Sends unacknowledged messages again, at the network's pace. */
  #sendAgain(): void {
    while (this.#sent < this.#replay.last && this.#socket !== undefined && this.#hasPace(this.#socket)) {
      this.#transmit(this.#socket, this.#replay.get(this.#sent + 1));
    }
  }

  #hasPace({ bufferedAmount }: OutboxSocket): boolean {
    return bufferedAmount < AHEAD;
  }

  #maySend(): boolean {
    const socket = this.#socket;
    if (socket === undefined || this.#sent < this.#replay.last) return false;
    return this.#hasPace(socket) && this.#replay.unacked < MAX_MESSAGES && this.#unacked < MAX_OUTPUT_UNACKED;
  }

  /** Sends the next state, if there is room. @returns whether more may follow */
  #tell(): boolean {
    if (this.#states.empty || this.#replay.bytes > MAX_STATES) return false;
    const message = this.#states.next();
    if (message !== undefined) this.send(message);
    return true;
  }

  /** Sends the next part of a stream. @returns whether more may follow */
  #output(): boolean {
    const stream = this.#turns.next(this.#window.free);
    if (stream === undefined) return false;
    const { owner, name, frame, inWindow } = stream;
    const room = this.#window.room(inWindow, frame);
    if (room === 0 && frame > 0) {
      this.#turns.hold(stream, this.#window.needed(inWindow, frame));
      return true;
    }
    const next = stream.next(room);
    if (stream.empty) this.#turns.remove(stream);
    const { id, rank } = owner;
    if (next.type === "data") {
      const seq = this.#replay.last + 1;
      const bytes = next.data.length;
      this.#window.take(bytes);
      this.#frames.push({ seq, bytes });
      this.#unacked += bytes;
      this.#push(encodeDataFrame({ seq, id, rank, stream: name, data: next.data }), 0);
    } else {
      this.send({ ...next, id, rank, stream: name });
    }
    owner.sent();
    return true;
  }

  #push(message: string | Uint8Array<ArrayBuffer>, size: number): void {
    const next = this.#sent === this.#replay.last;
    this.#replay.push(message, size);
    if (next && this.#socket !== undefined) this.#transmit(this.#socket, message);
  }

  #transmit(socket: OutboxSocket, message: string | Uint8Array): void {
    this.#sent++;
    if (typeof message === "string") socket.sendText(message);
    else socket.sendBinary(message);
  }
}
