import { describe, expect, it, vi } from "vitest";
import { end, openSession, Recorder, settled } from "../../../support/peer.js";

// Ids that run out soon.
vi.mock("../../../../src/protocol/messages.js", async (original) => ({
  ...(await original<typeof import("../../../../src/protocol/messages.js")>()),
  MAX_ID: 10,
}));

describe("request ids", () => {
  it("count up, wrap, and step over those that are in use", async () => {
    const { session, proxy } = await openSession();
    const start = async (nodeid: string) => {
      session.start({ topic: "a.b", nodeid, streaming: true, payload: {} }, new Recorder());
      await settled();
      return proxy.requests.at(-1)?.id as number;
    };
    const over = async (id: number, ranks: number[]) => {
      proxy.send(...ranks.map((rank) => end(id, rank)));
      await settled();
    };
    expect(await start("any")).toBe(1);
    expect(await start("0-2")).toBe(2);
    expect(await start("0-1")).toBe(5);
    await over(5, [0, 1]);
    // A number is used again only when all others have been.
    expect(await start("0-2")).toBe(7);
    // 10 is left, two are needed: 1 to 4 and 7 to 9 are in use.
    expect(await start("0-1")).toBe(5);
    await over(1, [0]);
    expect(await start("any")).toBe(10);
    expect(await start("any")).toBe(1);
    await over(2, [0, 1]);
    await over(5, [0, 1]);
    expect(await start("any")).toBe(5);
    await over(2, [2]);
    expect(await start("any")).toBe(6);
    expect(await start("0-1")).toBe(2);
  });
});
