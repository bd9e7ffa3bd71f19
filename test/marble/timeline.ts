/** exec and attach in virtual time: a proxy that logs messages with their times, and answers kills at once. */
import { vi } from "vitest";
import type { Flux } from "../../src/index.js";
import { type Incoming, type Outgoing, openFlux, type ScriptedProxy } from "../support/peer.js";

export interface Timeline {
  flux: Flux;
  proxy: ScriptedProxy;
  /** The messages that the proxy received, such as "0 exec 1" or "100 kill 15 pid 7 rank 0". */
  log: string[];
  /** Sends messages at a time. */
  at(ms: number, ...messages: Outgoing[]): void;
  /** Advances the time. */
  until(ms: number): Promise<void>;
}

/** Needs fake timers. */
export async function timeline(): Promise<Timeline> {
  const { flux, proxy } = await openFlux();
  const begin = Date.now();
  const now = () => Date.now() - begin;
  const log: string[] = [];
  proxy.onMessage = (message) => {
    log.push(`${now()} ${describe(message)}`);
    if (message.type !== "request" || !message.topic.endsWith(".kill")) return;
    const rank = message.nodeid === "any" ? 0 : Number(message.nodeid);
    proxy.send({ type: "response", id: message.id, rank, payload: {} });
  };
  return {
    flux,
    proxy,
    log,
    at: (ms, ...messages) => void setTimeout(() => proxy.send(...messages), ms - now()),
    until: async (ms) => void (await vi.advanceTimersByTimeAsync(ms - now())),
  };
}

function describe(message: Incoming): string {
  switch (message.type) {
    case "request": {
      const { signum, pid } = message.payload;
      const method = message.topic.replace("rexec.", "");
      return method === "kill"
        ? `kill ${signum} pid ${pid} rank ${message.nodeid}`
        : `${method} ${message.id}`;
    }
    case "data":
      return `input ${message.id}`;
    default:
      return `${message.type} ${message.id}`;
  }
}
