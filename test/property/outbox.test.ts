/** The messages that a client gets of a session that loses its socket, its acks and its patience at any point. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Outbox, type OutboxSocket } from "../../proxy/flow/outbox.js";
import type { RankOutput } from "../../proxy/flow/rank-output.js";
import { type DataFrame, decodeDataFrame } from "../../src/protocol/frame.js";
import { OUTPUT_WINDOW, type SequencedServerMessage } from "../../src/protocol/messages.js";
import { parseServerMessage } from "../../src/protocol/server-messages.js";

const RANKS = [0, 1, 2];
const STREAMS = ["stdout", "stderr"];
/** The bytes that a stream may add to a full window if it has nothing there. */
const LEAST = 1024;

type Received = SequencedServerMessage | DataFrame;

/** The bytes of a stream from `at` on, which say where they are. */
const bytesAt = (at: number, size: number) => Uint8Array.from({ length: size }, (_, i) => (at + i) % 251);

/** The client's account of one stream. */
interface Account {
  written: number;
  dropped: number;
  /** The place of the next byte. */
  at: number;
  inWindow: number;
  taken: number;
  consumed: number;
  gaps: number;
  eofs: number;
}

class World {
  readonly outbox = new Outbox({ replay: true, overrun: () => expect.fail("overrun") });
  readonly outputs: RankOutput[];
  readonly accounts = new Map<string, Account>();
  /** Sent on the socket that there is, and not arrived. */
  inFlight: Received[] = [];
  received = 0;
  /** The highest number that was ever sent. */
  numbered = 0;
  attached = false;
  readonly ended: number[] = [];
  readonly credits: number[] = [];
  credit = 0;
  #buffered = 0;
  #acked = 0;

  constructor() {
    this.outputs = RANKS.map((rank) => this.outbox.open({ id: 1, rank, drained: () => {}, over: () => {} }));
    this.attach();
  }

  account(rank: number, stream: string, id = 1): Account {
    const key = `${id} ${rank} ${stream}`;
    const none = { written: 0, dropped: 0, at: 0, inWindow: 0, taken: 0, consumed: 0, gaps: 0, eofs: 0 };
    const account = this.accounts.get(key) ?? none;
    this.accounts.set(key, account);
    return account;
  }

  get inWindow(): number {
    return [...this.accounts.values()].reduce((sum, { inWindow }) => sum + inWindow, 0);
  }

  attach(): void {
    const world = this;
    this.inFlight = [];
    this.#buffered = 0;
    this.#acked = this.received;
    this.attached = true;
    const socket: OutboxSocket = {
      sendText: (text) => this.#send(parseServerMessage(text) as SequencedServerMessage, text.length),
      sendBinary: (bytes) => this.#send(decodeDataFrame(bytes), bytes.length),
      get bufferedAmount() {
        return world.#buffered;
      },
    };
    expect(this.outbox.attach(socket, this.received)).toBe(true);
  }

  detach(): void {
    this.attached = false;
    this.outbox.detach();
  }

  drain(): void {
    this.#buffered = 0;
    this.outbox.drained();
  }

  write(rank: number, stream: string, size: number): void {
    const account = this.account(rank, stream);
    this.outputs[rank]?.push(stream, bytesAt(account.written, size));
    account.written += size;
  }

  drop(rank: number): void {
    this.outputs[rank]?.drop();
  }

  sendCredit(): void {
    this.outbox.send({ type: "credit", id: 1, stream: "stdin", bytes: ++this.credit });
  }

  deliver(count: number): void {
    for (const message of this.inFlight.splice(0, count)) this.#take(message);
  }

  consume(rank: number, stream: string, part: number): void {
    const account = this.account(rank, stream);
    const bytes = Math.ceil((account.taken - account.consumed) * part);
    if (bytes === 0 || !this.attached || this.ended.includes(rank)) return;
    account.consumed += bytes;
    account.inWindow -= bytes;
    this.outputs[rank]?.consumed(stream, bytes);
  }

  /** The client acknowledges some of the messages that it has taken. */
  ack(part: number): void {
    if (!this.attached) return;
    this.#acked += Math.round((this.received - this.#acked) * part);
    this.outbox.ack(this.#acked);
  }

  /** All goes well until there is nothing more to be done. */
  settle(): void {
    if (!this.attached) this.attach();
    for (let before = -1; before !== this.received || this.inFlight.length > 0; ) {
      before = this.received;
      this.deliver(this.inFlight.length);
      this.ack(1);
      for (const rank of RANKS) for (const stream of STREAMS) this.consume(rank, stream, 1);
      this.drain();
    }
  }

  #send(message: Received, size: number): void {
    this.#buffered += size;
    this.inFlight.push(message);
    if (message.seq <= this.numbered) return;
    expect(message.seq).toBe(++this.numbered);
    if (message.type !== "data") return;
    const account = this.account(message.rank, message.stream, message.id);
    account.inWindow += message.data.length;
    const { inWindow } = account;
    expect(inWindow <= LEAST || inWindow <= OUTPUT_WINDOW - this.inWindow).toBe(true);
  }

  #take(message: Received): void {
    expect(message.seq).toBe(++this.received);
    switch (message.type) {
      case "data": {
        const account = this.account(message.rank, message.stream);
        expect([account.eofs, this.ended.includes(message.rank)]).toEqual([0, false]);
        const expected = bytesAt(account.at, message.data.length);
        expect(Buffer.compare(message.data, expected)).toBe(0);
        account.at += message.data.length;
        account.taken += message.data.length;
        return;
      }
      case "gap": {
        const account = this.account(message.rank, message.stream);
        account.at += message.bytes;
        account.gaps += message.bytes;
        return;
      }
      case "eof":
        if ("rank" in message) this.account(message.rank, message.stream).eofs++;
        return;
      case "end":
        for (const stream of STREAMS) this.account(message.rank, stream).inWindow = 0;
        this.ended.push(message.rank);
        return;
      case "credit":
        this.credits.push(message.bytes);
    }
  }
}

const rank = fc.constantFrom(...RANKS);
const stream = fc.constantFrom(...STREAMS);
const part = fc.double({ min: 0, max: 1, noNaN: true });
const size = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 600_000 }));

type Step = (world: World) => void;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(rank, stream, size).map(
      (args): Step =>
        (world) =>
          world.write(...args),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 40 }).map(
      (count): Step =>
        (world) =>
          world.deliver(count),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(rank, stream, part).map(
      (args): Step =>
        (world) =>
          world.consume(...args),
    ),
  },
  {
    weight: 2,
    arbitrary: part.map(
      (some): Step =>
        (world) =>
          world.ack(some),
    ),
  },
  { weight: 3, arbitrary: fc.constant<Step>((world) => world.drain()) },
  { weight: 2, arbitrary: fc.constant<Step>((world) => world.sendCredit()) },
  {
    weight: 1,
    arbitrary: rank.map(
      (where): Step =>
        (world) =>
          world.drop(where),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.detach()) },
  { weight: 1, arbitrary: fc.constant<Step>((world) => world.attach()) },
);

describe("the outbox", () => {
  test("gives every byte in order and once, or a gap for it, within the window", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const world = new World();
        for (const take of steps) take(world);
        for (const output of world.outputs) {
          for (const name of STREAMS) output.eof(name);
          output.end({ type: "end", id: 1, rank: output.rank });
        }
        world.settle();
        for (const [, { written, at, taken, gaps, eofs }] of world.accounts) {
          expect([at, taken + gaps, eofs]).toEqual([written, written, 1]);
        }
        expect(world.ended.toSorted()).toEqual(RANKS);
        expect(world.credits).toEqual(Array.from({ length: world.credit }, (_, i) => i + 1));
      }),
      { numRuns: 100 },
    );
  });

  test("lets no stream starve: a stream that is consumed gets all, even if others are not", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.array(size, { minLength: 1, maxLength: 10 }),
        (stalled, sizes) => {
          const world = new World();
          for (let id = 2; id < 2 + stalled; id++) {
            const output = world.outbox.open({ id, rank: 0, drained: () => {}, over: () => {} });
            for (let i = 0; i < 8; i++) output.push("stdout", new Uint8Array(OUTPUT_WINDOW / 8));
            world.drain();
          }
          world.inFlight = [];
          const output = world.outbox.open({ id: 1000, rank: 0, drained: () => {}, over: () => {} });
          const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
          for (const bytes of sizes) output.push("stdout", new Uint8Array(bytes));
          // In the bytes that the network takes at a time, each of the others may have its turn first.
          let [got, others] = [0, 0];
          while (got < total) {
            world.drain();
            const arrived = world.inFlight.splice(0).filter((message) => message.id === 1000);
            const bytes = arrived.reduce((sum, m) => sum + (m.type === "data" ? m.data.length : 0), 0);
            others = bytes > 0 ? 0 : others + 1;
            expect(others).toBeLessThanOrEqual(stalled);
            world.outbox.ack(world.numbered);
            if (bytes === 0) continue;
            got += bytes;
            world.account(0, "stdout", 1000).inWindow -= bytes;
            output.consumed("stdout", bytes);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("puts control before all output that is not with the network yet", () => {
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 30 }), (sizes) => {
        const world = new World();
        for (const bytes of sizes) world.write(0, "stdout", bytes);
        world.sendCredit();
        expect(world.inFlight.at(-1)).toMatchObject({ type: "credit" });
        const ahead = world.inFlight.reduce((sum, m) => sum + (m.type === "data" ? m.data.length : 0), 0);
        expect(ahead).toBeLessThanOrEqual(256 * 1024 + 64 * 1024);
      }),
      { numRuns: 20 },
    );
  });
});
