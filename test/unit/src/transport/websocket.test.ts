import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { Transport, TransportClose } from "../../../../src/transport/transport.js";
import { webSocketConnector } from "../../../../src/transport/websocket.js";

const servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A connection to a server of our own; `closed` is how it ended. */
async function connected() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  servers.push(server);
  await once(server, "listening");
  const messages: unknown[] = [];
  let transport!: Transport;
  let opened!: () => void;
  const open = new Promise<void>((resolve) => (opened = resolve));
  const accepted = once(server, "connection") as Promise<[WebSocket]>;
  const closed = new Promise<TransportClose>((resolve) => {
    transport = webSocketConnector(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)({
      opened,
      message: (data) => messages.push(data),
      closed: resolve,
    });
  });
  const [[peer]] = await Promise.all([accepted, open]);
  return { transport, peer, messages, closed };
}

describe("WebSocket transport", () => {
  it("names the subprotocol, and carries text and bytes", async () => {
    const { transport, peer, messages, closed } = await connected();
    expect(peer.protocol).toBe("flux-subprocess.v1");
    const received: unknown[] = [];
    peer.on("message", (data, isBinary) => received.push(isBinary ? [...(data as Buffer)] : String(data)));
    const buffer = Uint8Array.of(9, 1, 2, 3, 9);
    transport.send("héllo");
    transport.send(buffer.subarray(1, 4));
    peer.send("wörld");
    peer.send(buffer.subarray(1, 4));
    peer.close(4400, "enough");
    expect(await closed).toEqual({ code: 4400, reason: "enough", opened: true, cause: undefined });
    expect(messages).toEqual(["wörld", Uint8Array.of(1, 2, 3)]);
    expect(received).toEqual(["héllo", [1, 2, 3]]);
  });

  it("closes with code and reason", async () => {
    const { transport, peer, closed } = await connected();
    const seen = once(peer, "close");
    transport.close(4400, "malformed");
    const [code, reason] = await seen;
    expect([code, String(reason)]).toEqual([4400, "malformed"]);
    expect(await closed).toMatchObject({ opened: true });
  });

  it("reports a peer that vanishes", async () => {
    const { peer, closed } = await connected();
    peer.terminate();
    expect(await closed).toMatchObject({ code: 1006, reason: "", opened: true });
  });

  it("reports why a connection fails", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const close = await new Promise<TransportClose>((closed) => {
      webSocketConnector(`ws://127.0.0.1:${port}/`)({ opened() {}, message() {}, closed });
    });
    expect(close).toMatchObject({ code: 1006, opened: false, cause: { code: "ECONNREFUSED" } });
  });

  it("can be closed before it is open", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    servers.push(server);
    await once(server, "listening");
    const close = await new Promise<TransportClose>((closed) => {
      const { port } = server.address() as AddressInfo;
      const transport = webSocketConnector(`ws://127.0.0.1:${port}/`)({ opened() {}, message() {}, closed });
      transport.close(1000, "");
    });
    expect(close).toMatchObject({ code: 1006, opened: false });
  });
});
