import { beforeEach, describe, expect, test } from "vitest";
import { Lane, type Piece } from "../../../../proxy/call/lane.js";
import { RankList, RankSet } from "../../../../proxy/call/ranks.js";
import { Scheduler } from "../../../../proxy/flow/scheduler.js";
import { MemoryBroker } from "../support/memory.js";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const turns = async (count = 50) => {
  for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

describe("Lane", () => {
  let broker: MemoryBroker;
  let sent: [name: string, rank: number][];
  let done: string[];
  let congested: boolean;
  let relieve: () => void;
  beforeEach(() => {
    broker = new MemoryBroker();
    [sent, done, congested] = [[], [], false];
  });

  const laneOf = (count: number) => {
    const ranks = new RankList(range(count), 1);
    const outbox = {
      get congested() {
        return congested;
      },
      relieved: () =>
        new Promise<void>((resolve) => {
          relieve = () => {
            congested = false;
            resolve();
          };
        }),
    };
    const guard = (action: () => void) => action();
    const lane = new Lane({ ranks, scheduler: new Scheduler(), outbox, guard });
    const to = new RankSet(ranks);
    const piece = (name: string, more: Partial<Piece> = {}): Piece => ({
      bytes: 1000,
      to,
      send: (rank, ready) => {
        sent.push([name, rank]);
        ready();
      },
      done: () => done.push(name),
      ...more,
    });
    return { lane, to, piece };
  };
  const expected = (name: string, count: number) => range(count).map((rank) => [name, rank]);

  test.each([1, 8, 9, 1000])(
    "sends every piece to each of %d ranks, one piece after another",
    async (count) => {
      const { lane, piece } = laneOf(count);
      lane.start(broker, piece("a"));
      lane.push(piece("b"));
      lane.push(piece("c"));
      await turns();
      expect(sent).toEqual([...expected("a", count), ...expected("b", count), ...expected("c", count)]);
      expect(done).toEqual(["a", "b", "c"]);
    },
  );

  test("pieces that were pushed before the start come after the first piece", async () => {
    const { lane, piece } = laneOf(20);
    lane.push(piece("b"));
    expect(sent).toEqual([]);
    lane.start(broker, piece("a"));
    await turns();
    expect(sent).toEqual([...expected("a", 20), ...expected("b", 20)]);
  });

  test("waits for a broker that does not keep up, with a piece that it has once", async () => {
    const { lane, piece } = laneOf(1000);
    broker.congested = true;
    lane.start(broker, piece("a"));
    await turns();
    expect([sent.length, done]).toEqual([0, []]);
    broker.drain();
    await turns();
    expect(sent).toHaveLength(1000);
  });

  test("waits for a client that has too much to take already", async () => {
    const { lane, piece } = laneOf(1000);
    congested = true;
    lane.start(broker, piece("a"));
    await turns();
    expect(sent).toHaveLength(0);
    relieve();
    await turns();
    expect(sent).toHaveLength(1000);
  });

  test("a rank that is over meanwhile is left out", async () => {
    const { lane, piece, to } = laneOf(1000);
    broker.congested = true;
    lane.start(broker, piece("a"));
    to.delete(7);
    broker.drain();
    await turns();
    expect(sent).toHaveLength(999);
    expect(sent).not.toContainEqual(["a", 7]);
  });

  test("waits for a signature", async () => {
    const { lane, piece } = laneOf(10);
    const signatures: (() => void)[] = [];
    lane.start(broker, piece("a", { send: (_, ready) => signatures.push(ready) }));
    for (let count = 1; count <= 10; count++) {
      await turns(5);
      expect(signatures).toHaveLength(count);
      signatures.at(-1)?.();
    }
    await turns(5);
    expect(done).toEqual(["a"]);
  });

  test("sends nothing more once it is closed, and lets go of all", async () => {
    const { lane, piece } = laneOf(1000);
    broker.congested = true;
    lane.start(broker, piece("a"));
    lane.push(piece("b"));
    lane.close();
    broker.drain();
    await turns();
    expect([sent, done]).toEqual([[], ["a", "b"]]);
  });
});
