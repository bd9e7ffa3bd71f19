/**
 * The client's session and the proxy's, the real ones, over sockets that are lost at any time: a model of an application's
 * requests and of the events that it gets.
 */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClientCall } from "../../src/session/client-call.js";
import { SessionToken } from "../../src/session/session-token.js";
import { Sessions } from "../../src/session/sessions.js";
import type { Connector, Transport, TransportEvents } from "../../src/transport/transport.js";
import { Recorder } from "../support/peer.js";
import { type Client, type Harness, json, openSession, settle } from "../unit/proxy/support/memory.js";

interface Ends {
  client: TransportEvents;
  proxy: Client;
  /** The number of the proxy's messages that are delivered. */
  taken: number;
  /** The client's messages that are not delivered. */
  queue: (string | Uint8Array)[];
}

/** Connections between a client and the proxy's sessions: messages on their way are lost with their connection. */
class Network {
  readonly connector: Connector;
  readonly #harness: Harness;
  /** Those that are alive, the oldest first. */
  readonly #alive = new Set<Ends>();

  constructor(harness: Harness) {
    this.#harness = harness;
    this.connector = (events): Transport => {
      const ends: Ends = { client: events, proxy: harness.accept(), taken: 0, queue: [] };
      this.#alive.add(ends);
      queueMicrotask(() => events.opened());
      return {
        send: (message) => void ends.queue.push(typeof message === "string" ? message : message.slice()),
        close: (code) => {
          if (this.#alive.delete(ends)) ends.proxy.session.closed(code);
        },
        bufferedAmount: 0,
      };
    };
  }

  /** Delivers on each connection up to `count` messages to the proxy, and then all but `late` to the client. */
  async deliver(count: number, late = 0): Promise<void> {
    for (const ends of [...this.#alive]) {
      for (const message of ends.queue.splice(0, count)) {
        if (typeof message === "string") ends.proxy.session.text(message);
        else ends.proxy.session.binary(message);
        await settle();
      }
      const { sent, closes } = ends.proxy.socket;
      const until = Math.max(ends.taken, sent.length - late);
      for (; ends.taken < until && this.#alive.has(ends); ends.taken++) {
        ends.client.message(sent[ends.taken] as string);
      }
      const [close] = closes;
      if (close && late === 0 && this.#alive.delete(ends)) ends.client.closed({ ...close, opened: true });
      await settle();
    }
  }

  /** Loses the connections there are. @param half whether the proxy does not hear of it */
  async lose(half: boolean): Promise<void> {
    for (const ends of this.#alive) {
      this.#alive.delete(ends);
      if (!half) ends.proxy.session.closed();
      ends.client.closed({ code: 1006, reason: "", opened: true });
      await settle();
    }
  }

  /** Delivers all there is, until nothing moves any more. */
  async calm(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      await vi.advanceTimersByTimeAsync(30);
      await this.deliver(Number.POSITIVE_INFINITY);
    }
  }

  get faults(): unknown[] {
    return this.#harness.faults;
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("exec" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("output" as const), call: fc.nat(5), size: fc.nat(40_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("input" as const), call: fc.nat(5), size: fc.nat(900) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("end" as const), call: fc.nat(5) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("deliver" as const), count: fc.nat(4), late: fc.nat(3) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("lose" as const), half: fc.boolean() }) },
  // More comes over the old one meanwhile.
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("reconnect" as const), call: fc.nat(5), pieces: fc.nat(100) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(20) }) },
);

describe("a session over sockets that are lost", () => {
  beforeEach(
    () =>
      void vi.useFakeTimers({
        toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"],
      }),
  );
  afterEach(() => void vi.useRealTimers());

  it("sends each request once, gives all output once and in order, and ends each request once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const harness = await openSession({ hello: false });
        const network = new Network(harness);
        const token = new SessionToken(async () => "t", undefined);
        const session = new Sessions(network.connector, token, undefined, { retry: { delay: () => 5 } });
        await settle();
        await network.calm();
        const calls: {
          call: ClientCall;
          recorder: Recorder<{ type: string; data?: Uint8Array }>;
          wrote: number[];
          expected: number[];
          over: boolean;
        }[] = [];
        let byte = 0;
        const bytes = (size: number) => Array.from({ length: size }, () => byte++ % 251);
        const pick = (n: number) => {
          const open = calls.filter(({ call, over }) => call.id !== undefined && !over);
          return open[n % open.length];
        };
        const handler = (call: ClientCall) => harness.broker.handler(call.id as number);
        const output = ({ call, expected }: (typeof calls)[number], size: number) => {
          const data = bytes(size);
          expected.push(...data);
          const base64 = Buffer.from(data).toString("base64");
          handler(call).response({
            type: "output",
            io: { stream: "stdout", rank: "1", data: base64, encoding: "base64" },
          });
        };
        for (const next of steps) {
          if (next.do === "exec") {
            const recorder = new Recorder<{ type: string; data?: Uint8Array }>();
            const payload = { cmd: {}, flags: 11 };
            const call = session.start(
              { topic: "rexec.exec", nodeid: "any", streaming: true, payload },
              recorder,
            );
            calls.push({ call, recorder, wrote: [], expected: [], over: false });
            await settle();
          } else if (next.do === "deliver") await network.deliver(next.count, next.late);
          else if (next.do === "lose") await network.lose(next.half);
          else if (next.do === "wait") await vi.advanceTimersByTimeAsync(next.ms);
          else {
            const chosen = pick(next.call);
            const known = chosen && harness.broker.calls.some(({ call }) => call.matchtag === chosen.call.id);
            if (!chosen || !known) continue;
            if (next.do === "output") output(chosen, next.size);
            else if (next.do === "reconnect") {
              session.reconnect().catch(() => {});
              await settle();
              for (let piece = 0; piece < next.pieces; piece++) output(chosen, 1);
              await network.deliver(0);
            } else if (next.do === "input") {
              handler(chosen.call).response({ type: "add-credit", channels: { stdin: next.size } });
              const data = bytes(next.size);
              chosen.wrote.push(...data);
              chosen.call
                .input("stdin")
                .write(Uint8Array.from(data))
                .catch(() => {});
            } else {
              // Input for a process that has ended never reaches it.
              await network.calm();
              handler(chosen.call).end();
              chosen.over = true;
            }
          }
        }
        await network.calm();
        expect(session.status.state).toBe("open");
        for (const { call, recorder, wrote, expected, over } of calls) {
          expect(harness.broker.calls.filter(({ call: { matchtag } }) => matchtag === call.id)).toHaveLength(
            1,
          );
          const got = recorder.values.flatMap(({ data }) => [...(data ?? [])]);
          expect(got).toEqual(expected);
          expect(recorder.ends).toEqual(over ? ["completed"] : []);
          const input = harness.broker.sent.flatMap((request) => {
            const { matchtag, io } = json(request) as {
              matchtag: number;
              io: { data?: string; encoding?: string };
            };
            if (matchtag !== call.id || io.data === undefined) return [];
            return [...Buffer.from(io.data, io.encoding === "base64" ? "base64" : "utf8")];
          });
          expect(input).toEqual(wrote);
        }
        expect(network.faults).toEqual([]);
        session.close();
        harness.sessions.shutdown();
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});
