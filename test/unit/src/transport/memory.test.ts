import { describe, expect, it } from "vitest";
import { type MemoryPeer, memoryConnector } from "../../../../src/transport/memory.js";
import type { TransportEvents } from "../../../../src/transport/transport.js";
import { settled } from "../../../support/peer.js";

/** Both ends, and their events. */
function pair() {
  const events: unknown[] = [];
  const listener = (name: string): TransportEvents => ({
    opened: () => events.push(`${name} opened`),
    message: (data) => events.push([name, data]),
    closed: ({ code, reason }) => events.push(`${name} closed ${code} ${reason}`),
  });
  let server!: MemoryPeer;
  const client = memoryConnector((peer) => {
    server = peer;
    return listener("server");
  })(listener("client"));
  return { client, server, events };
}

describe("memory transport", () => {
  it("never calls back before it has returned", async () => {
    const { client, server, events } = pair();
    client.send("a");
    server.send("b");
    expect(events).toEqual([]);
    await settled();
    expect(events).toEqual(["client opened", "server opened", ["server", "a"], ["client", "b"]]);
  });

  it.each([
    ["client", 4000, "why", "4000 why"],
    ["server", 4000, "why", "4000 why"],
  ] as const)("closes from the %s, once, after the sent messages", async (side, code, reason, end) => {
    const ends = pair();
    await settled();
    ends.events.length = 0;
    ends.client.send("before");
    ends[side].close(code, reason);
    ends.client.send("after");
    ends.server.close(1000, "");
    await settled();
    expect(ends.events).toEqual([["server", "before"], `client closed ${end}`, `server closed ${end}`]);
  });

  it("can vanish", async () => {
    const { server, events } = pair();
    server.drop();
    await settled();
    expect(events.slice(2)).toEqual(["client closed 1006 ", "server closed 1006 "]);
  });
});
