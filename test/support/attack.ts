/** Messages by which a hostile client makes the proxy hold much or work long. It reads and acknowledges all messages. */
import { WebSocket } from "ws";
import { ALL_RANKS, encodeDataFrame } from "../../src/protocol/frame.js";
import { SUBPROTOCOL } from "../../src/protocol/messages.js";

/** As many ranks as an idset may have, whether they exist or not. */
const RANKS = 65_535;
const NODEID = `0-${RANKS - 1}`;

export const ATTACKS = ["control", "execs", "lists", "argv", "watch", "input", "attaches", "pings"] as const;
export type AttackName = (typeof ATTACKS)[number];

export interface AttackTarget {
  url: string;
  token: string;
}

export interface Damage {
  /** Code and reason with which the attacker's last socket was closed; undefined if none was. */
  closed: string | undefined;
  /** Messages that came. */
  messages: number;
  /** How often each errno came, each rank counted. */
  errors: Record<string, number>;
}

/** Carries out an attack, and goes on for `ms` milliseconds after. */
export async function attack(name: AttackName, target: AttackTarget, ms: number): Promise<Damage> {
  return name === "pings" ? pings(target, ms) : inSession(name, target, ms);
}

class Attacker {
  readonly damage: Damage = { closed: undefined, messages: 0, errors: {} };
  readonly ws: WebSocket;
  #seq = 0;
  #last = 0;

  private constructor({ url }: AttackTarget) {
    this.ws = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false });
    this.ws.on("error", () => {});
    this.ws.on("close", (code, reason) => {
      this.damage.closed = `${code} ${reason}`;
    });
  }

  static async open(target: AttackTarget): Promise<Attacker> {
    const attacker = new Attacker(target);
    const { ws } = attacker;
    await new Promise((resolve) => ws.once("open", resolve));
    ws.send(JSON.stringify({ type: "hello", token: target.token, grace: 0 }));
    await new Promise((resolve) => ws.once("message", resolve));
    ws.on("message", (data: Buffer, isBinary) => attacker.#take(data, isBinary));
    return attacker;
  }

  request(id: number, topic: string, streaming: boolean, payload: object, nodeid = NODEID): void {
    this.send({ type: "request", id, topic, nodeid, streaming, payload });
  }

  send(message: object): void {
    this.ws.send(JSON.stringify({ ...message, seq: ++this.#seq }));
  }

  input(id: number, data: Uint8Array): void {
    this.ws.send(encodeDataFrame({ seq: ++this.#seq, id, rank: ALL_RANKS, stream: "stdin", data }));
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.damage.messages++;
    const message = isBinary ? { seq: data.readUIntBE(2, 6) } : JSON.parse(data.toString());
    if (message.type === "error") {
      const { errors } = this.damage;
      errors[message.errno] = (errors[message.errno] ?? 0) + countOf(message.ranks ?? String(message.rank));
    }
    if (message.type === "ack" || message.seq === undefined || message.seq - this.#last < 64) return;
    this.#last = message.seq;
    this.ws.send(JSON.stringify({ type: "ack", seq: message.seq }));
  }
}

async function inSession(name: AttackName, target: AttackTarget, ms: number): Promise<Damage> {
  const attacker = await Attacker.open(target);
  const exec = (id: number, cmdline: string[], nodeid = NODEID) => {
    const cmd = { cmdline, env: {}, opts: {}, channels: [] };
    attacker.request(id, "rexec.exec", true, { cmd, flags: 3 }, nodeid);
  };
  const ids = (count: number) => Array.from({ length: count }, (_, i) => 1 + i * RANKS);
  // The broker's cost for the processes of "execs" that exist.
  if (name === "control") for (const id of ids(80)) exec(id, ["true"], "0");
  if (name === "execs") for (const id of ids(80)) exec(id, ["true"]);
  if (name === "lists") for (const id of ids(60)) attacker.request(id, "rexec.list", false, {});
  if (name === "argv") for (const id of ids(8)) exec(id, ["true", "x".repeat(1700)]);
  if (name === "watch") attacker.request(1, "rexec.list", true, {});
  if (name === "attaches") {
    for (let id = 1; id <= 6000; id++) {
      attacker.request(id, "rexec.attach", true, { pid: 1, flags: 3 }, "any");
    }
  }
  if (name === "input") {
    exec(1, ["cat"]);
    // All that there is credit for: a larger frame closes the session with 4429.
    attacker.input(1, new Uint8Array(64 * 1024));
  }
  await new Promise((resolve) => setTimeout(resolve, ms));
  attacker.ws.terminate();
  return attacker.damage;
}

/** 50 sockets that send 60,000 pings each and no hello. */
async function pings({ url }: AttackTarget, ms: number): Promise<Damage> {
  const damage: Damage = { closed: undefined, messages: 0, errors: {} };
  // RFC 6455 section 5.5.2: a masked ping without data.
  const flood = Buffer.alloc(60_000 * 6, Buffer.of(0x89, 0x80, 0, 0, 0, 0));
  const sockets = Array.from(
    { length: 50 },
    () => new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false }),
  );
  for (const ws of sockets) {
    ws.on("error", () => {});
    ws.on("pong", () => damage.messages++);
    ws.on("close", (code, reason) => {
      damage.closed = `${code} ${reason}`;
    });
    // Past the library, which would take as long as the proxy.
    ws.on("upgrade", ({ socket }) => socket.write(flood));
  }
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (const ws of sockets) ws.terminate();
  return damage;
}

function countOf(ranks: string): number {
  return ranks.split(",").reduce((sum, range) => {
    const [first, last = first] = range.split("-").map(Number);
    return sum + (last as number) - (first as number) + 1;
  }, 0);
}
