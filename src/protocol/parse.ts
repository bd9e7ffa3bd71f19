/** What arrives is `unknown` until one of these functions has looked at it, once, at the edge. */
import { decodeIdset } from "./idset.js";
import {
  type Challenge,
  CLOSE,
  type ClientMessage,
  type Hello,
  MAX_DATA,
  MAX_ID,
  type Nodeid,
  type Overflow,
  type Proof,
  ProtocolError,
  type ServerMessage,
  type Welcome,
} from "./messages.js";

type Json = Record<string, unknown>;

const malformed = (what: string, cause?: unknown) =>
  new ProtocolError(CLOSE.malformed, what, cause === undefined ? undefined : { cause });

/** Reads the fields of an object and says which one is wrong. */
class Fields {
  readonly #object: Json;

  constructor(object: Json) {
    this.#object = object;
  }

  /** The fields of one message. */
  static of(text: string): Fields & { readonly type: string } {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw malformed("message is not JSON", cause);
    }
    if (!isObject(value)) throw malformed("message is not an object");
    const fields = new Fields(value);
    return Object.assign(fields, { type: fields.string("type") });
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined;
  }

  string(name: string): string {
    const value = this.#object[name];
    if (typeof value !== "string") throw malformed(`${name} is not a string`);
    return value;
  }

  name(name: string): string {
    const value = this.string(name);
    if (value === "" || value.includes("\0")) throw malformed(`${name} is empty or has a NUL`);
    return value;
  }

  integer(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#object[name];
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
      throw malformed(`${name} is not an integer of ${min} to ${max}`);
    }
    return value;
  }

  boolean(name: string, absent?: boolean): boolean {
    const value = this.#object[name] ?? absent;
    if (typeof value !== "boolean") throw malformed(`${name} is not a boolean`);
    return value;
  }

  object(name: string): Json {
    const value = this.#object[name];
    if (!isObject(value)) throw malformed(`${name} is not an object`);
    return value;
  }

  nodeid(name: string): Nodeid {
    const value = this.string(name);
    if (value === "any" || value === "all") return value;
    try {
      if (decodeIdset(value).length > 0) return value;
    } catch (cause) {
      throw malformed(`${name} is not "any", "all" or an idset`, cause);
    }
    throw malformed(`${name} is an empty idset`);
  }

  resume(): { id: string; received: number } {
    const fields = new Fields(this.object("resume"));
    return { id: fields.string("id"), received: fields.integer("received") };
  }

  overflow(): Overflow {
    const value = this.string("overflow");
    if (value === "stop" || value === "gap" || value === "kill") return value;
    throw malformed('overflow is not "stop", "gap" or "kill"');
  }

  seq = () => this.integer("seq", 1);
  id = () => this.integer("id", 1, MAX_ID);
  rank = () => this.integer("rank", 0, 0xfffffffe);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Checks the first message of a client. @throws ProtocolError */
export function parseHello(text: string): Hello {
  const fields = Fields.of(text);
  if (fields.type !== "hello") throw malformed("the first message is not hello");
  const token = fields.string("token");
  const grace = fields.has("grace") ? { grace: fields.integer("grace") } : {};
  const resume = fields.has("resume") ? { resume: fields.resume() } : {};
  return { type: "hello", token, ...grace, ...resume };
}

/** Checks the answer of a client to a challenge. @throws ProtocolError */
export function parseProof(text: string): Proof {
  const fields = Fields.of(text);
  if (fields.type !== "proof") throw malformed("the answer to a challenge is not proof");
  return { type: "proof", proof: fields.string("proof") };
}

/** Checks a message of a proxy before its welcome, or that itself. @throws ProtocolError */
export function parseOpening(text: string): Challenge | Welcome {
  const fields = Fields.of(text);
  if (fields.type === "challenge") return { type: "challenge", nonce: fields.name("nonce") };
  if (fields.type !== "welcome") throw malformed("the first message is not welcome");
  return {
    type: "welcome",
    session: fields.name("session"),
    rank: fields.rank(),
    size: fields.integer("size", 1),
    owner: fields.integer("owner"),
    userid: fields.integer("userid"),
    expires: fields.integer("expires"),
    time: fields.integer("time"),
    grace: fields.integer("grace"),
    ...(fields.has("resume") ? { resume: fields.name("resume") } : {}),
    received: fields.integer("received"),
  };
}

/** Checks a message of a client after its hello. @throws ProtocolError */
export function parseClientMessage(text: string): ClientMessage {
  const f = Fields.of(text);
  switch (f.type) {
    case "request":
      return {
        type: "request",
        seq: f.seq(),
        id: f.id(),
        topic: f.name("topic"),
        nodeid: f.nodeid("nodeid"),
        streaming: f.boolean("streaming"),
        payload: f.object("payload"),
        ...(f.boolean("sign", false) ? { sign: true } : {}),
        ...(f.has("overflow") ? { overflow: f.overflow() } : {}),
      };
    case "write":
      return {
        type: "write",
        seq: f.seq(),
        id: f.id(),
        rank: f.rank(),
        stream: f.name("stream"),
        bytes: f.integer("bytes", 0, MAX_DATA),
        signature: f.string("signature"),
      };
    case "eof":
      return { type: "eof", seq: f.seq(), id: f.id(), stream: f.name("stream") };
    case "detach":
      return { type: "detach", seq: f.seq(), id: f.id() };
    case "consumed":
      return {
        type: "consumed",
        seq: f.seq(),
        id: f.id(),
        rank: f.rank(),
        stream: f.name("stream"),
        bytes: f.integer("bytes", 1),
      };
    case "brake":
      return {
        type: "brake",
        seq: f.seq(),
        id: f.id(),
        rank: f.rank(),
        stop: f.string("stop"),
        cont: f.string("cont"),
      };
    case "ack":
      return { type: "ack", seq: f.integer("seq") };
    case "ping":
    case "pong":
      return { type: f.type };
    case "token":
      return { type: "token", token: f.string("token") };
    default:
      throw malformed(`message type ${JSON.stringify(f.type)} is not known`);
  }
}

/** Checks a message of a proxy after its welcome. @throws ProtocolError */
export function parseServerMessage(text: string): ServerMessage {
  const f = Fields.of(text);
  if (f.type === "expiring" || f.type === "renewed") return { type: f.type, expires: f.integer("expires") };
  if (f.type === "ack") return { type: "ack", seq: f.integer("seq") };
  if (f.type === "ping" || f.type === "pong") return { type: f.type };
  const seq = f.seq();
  const id = f.id();
  switch (f.type) {
    case "response":
      return { type: "response", seq, id, rank: f.rank(), payload: f.object("payload") };
    case "eof":
      return { type: "eof", seq, id, rank: f.rank(), stream: f.name("stream") };
    case "gap":
      return { type: "gap", seq, id, rank: f.rank(), stream: f.name("stream"), bytes: f.integer("bytes", 1) };
    case "credit":
      return { type: "credit", seq, id, stream: f.name("stream"), bytes: f.integer("bytes", 1) };
    case "refused":
      return {
        type: "refused",
        seq,
        id,
        stream: f.name("stream"),
        errno: f.integer("errno", 1),
        message: f.string("message"),
      };
    case "error":
      return {
        type: "error",
        seq,
        id,
        rank: f.rank(),
        errno: f.integer("errno", 1),
        message: f.string("message"),
      };
    case "end":
      return { type: "end", seq, id, rank: f.rank() };
    default:
      throw malformed(`message type ${JSON.stringify(f.type)} is not known`);
  }
}
