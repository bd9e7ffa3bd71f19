import { describe, expect, it } from "vitest";
import { type MemoryPeer, memoryConnector } from "../../../../src/transport/memory.js";
import type { TransportEvents } from "../../../../src/transport/transport.js";
import { settled } from "../../../support/peer.js";

/** Both ends, and all that they were told. */
function pair() {
  const told: unknown[] = [];
  const listener = (name: string): TransportEvents => ({
    opened: () => told.push(`${name} opened`),
    message: (data) => told.push([name, data]),
    closed: ({ code, reason }) => told.push(`${name} closed ${code} ${reason}`),
  });
  let server!: MemoryPeer;
  const client = memoryConnector((peer) => {
    server = peer;
    return listener("server");
  })(listener("client"));
  return { client, server, told };
}

describe("memory transport", () => {
  it("never calls back before it has returned", async () => {
    const { client, server, told } = pair();
    client.send("a");
    server.send("b");
    expect(told).toEqual([]);
    await settled();
    expect(told).toEqual(["client opened", "server opened", ["server", "a"], ["client", "b"]]);
  });

  it.each([
    ["client", 4000, "why", "4000 why"],
    ["server", 4000, "why", "4000 why"],
  ] as const)("closes from the %s, once, after what was sent", async (side, code, reason, end) => {
    const ends = pair();
    await settled();
    ends.told.length = 0;
    ends.client.send("before");
    ends[side].close(code, reason);
    ends.client.send("after");
    ends.server.close(1000, "");
    await settled();
    expect(ends.told).toEqual([["server", "before"], `client closed ${end}`, `server closed ${end}`]);
  });

  it("can vanish", async () => {
    const { server, told } = pair();
    server.drop();
    await settled();
    expect(told.slice(2)).toEqual(["client closed 1006 ", "server closed 1006 "]);
  });
});
