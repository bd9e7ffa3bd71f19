import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { WebSocket } from "ws";
import { keepAlive } from "../../../proxy/keepalive.js";

class Peer extends EventEmitter {
  pings = 0;
  terminated = false;
  silenced = 0;
  answers = true;
  ping(): void {
    this.pings++;
    if (this.answers) this.emit("pong");
  }
  silent(): void {
    this.silenced++;
  }
  terminate(): void {
    this.terminated = true;
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a message is a sign of life, when the pong is late", () => {
  const busy = new Peer();
  busy.answers = false;
  const stop = keepAlive(new Map([[busy as unknown as WebSocket, busy]]), 100);
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(100);
    busy.emit("message");
  }
  expect(busy).toMatchObject({ silenced: 0, terminated: false });
  vi.advanceTimersByTime(300);
  expect(busy).toMatchObject({ silenced: 1, terminated: false });
  stop();
});

test("a peer that answers lives, one that does not is closed after two misses, and dropped if it does not close", () => {
  const [alive, dead] = [new Peer(), new Peer()];
  dead.answers = false;
  const sockets = new Map([alive, dead].map((peer) => [peer as unknown as WebSocket, peer]));
  const stop = keepAlive(sockets, 100);
  vi.advanceTimersByTime(200);
  expect(dead).toMatchObject({ pings: 2, silenced: 0 });
  vi.advanceTimersByTime(100);
  expect(dead).toMatchObject({ pings: 2, silenced: 1, terminated: false });
  vi.advanceTimersByTime(100);
  expect(dead).toMatchObject({ pings: 2, silenced: 1, terminated: true });
  vi.advanceTimersByTime(900);
  expect(alive).toMatchObject({ pings: 13, silenced: 0, terminated: false });
  expect(alive.listenerCount("pong")).toBe(1);
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
