/** The types of the WebSocket's messages. PROTOCOL.md describes each field. */
import { decodeIdset, MAX_IDS } from "./idset.js";

/** The WebSocket subprotocol (RFC 6455 section 1.9). */
export const SUBPROTOCOL = "flux-subprocess.v1";

/** The maximum size of a message to a proxy, in bytes, with its header. */
export const MAX_FRAME = 1024 * 1024;

/** The maximum of process bytes in one binary frame. */
export const MAX_DATA = 256 * 1024;

/** The maximum length of a stream's name, in bytes of UTF-8: a binary frame has one byte for it. */
export const MAX_NAME = 255;

/** The maximum of output bytes of a session that are sent and not consumed. */
export const OUTPUT_WINDOW = 4 * 1024 * 1024;

/** The maximum of input bytes of a session that are sent and not acknowledged; of all the client's messages, twice that. */
export const INPUT_WINDOW = 4 * 1024 * 1024;

/** A receiver sends an `ack` after this number of bytes at the latest. */
export const ACK_BYTES = 256 * 1024;
/** A receiver sends an `ack` after this number of messages at the latest. */
export const ACK_MESSAGES = 64;

/** The maximum number of a message: a binary frame has 48 bits for it. */
export const MAX_SEQ = 2 ** 48 - 1;

/** Request ids are 1 to this. The proxy uses the matchtags above. */
export const MAX_ID = 0x7fffffff;

/** The ranks of a request: "any", "all" or an RFC 22 idset, such as "0-3,7". */
export type Nodeid = string;

type Json = Record<string, unknown>;

/** The first message of a client. */
export interface Hello {
  type: "hello";
  token: string;
  /** Milliseconds that the session should outlive a lost socket. @default the proxy's value */
  grace?: number | undefined;
  /** The session to resume, and the last message that the client has taken. */
  resume?: { id: string; received: number } | undefined;
}

/** The proxy's answer to the {@link Hello} of a token that is bound to a key. */
export interface Challenge {
  type: "challenge";
  nonce: string;
}

/** The client's answer to a {@link Challenge}. */
export interface Proof {
  type: "proof";
  proof: string;
}

/** The proxy's answer to an accepted {@link Hello}. */
export interface Welcome {
  type: "welcome";
  session: string;
  /** The rank, the size and the owner's userid of the broker behind the proxy. */
  rank: number;
  size: number;
  owner: number;
  /** The Flux userid of the requests. */
  userid: number;
  /** When the token expires, in seconds since 1970. */
  expires: number;
  /** The proxy's clock, in milliseconds since 1970. */
  time: number;
  /** Milliseconds that the session outlives a lost socket. */
  grace: number;
  /** A secret that resumes the session, once. Absent if the session cannot be resumed. */
  resume?: string | undefined;
  /** The last message of the client that the proxy has taken. */
  received: number;
}

/** The token expires soon, or the new token's expiry. Not in the sequence. */
export interface Expiry {
  type: "expiring" | "renewed";
  expires: number;
}

/** A new token. Not in the sequence. */
export interface NewToken {
  type: "token";
  token: string;
}

/** A check that the other side is alive, and the answer. Not in the sequence. */
export interface Ping {
  type: "ping" | "pong";
}

/**
 * The treatment of output that is not consumed in time: "stop" stops the process until its reader has caught up, "gap" drops the oldest
 * output, "kill" ends the process. PROTOCOL.md, "Flow control".
 */
export type Overflow = "stop" | "gap" | "kill";

/** A Flux request (RFC 6) to one or more ranks. Its ids are `id` to `id + ranks - 1`, in ascending order of rank. */
export interface Request {
  type: "request";
  seq: number;
  id: number;
  topic: string;
  nodeid: Nodeid;
  streaming: boolean;
  payload: Json;
  /** True if the proxy must sign it. */
  sign?: boolean | undefined;
  /** @default "stop" for an exec, "gap" for an attach */
  overflow?: Overflow | undefined;
  /** Milliseconds until the first answer of each rank. @default no limit */
  timeout?: number | undefined;
}

/** Input for one rank that the client has signed (RFC 42 write in signed form). */
export interface SignedWrite {
  type: "write";
  seq: number;
  id: number;
  rank: number;
  stream: string;
  /** The number of input bytes in it. */
  bytes: number;
  signature: string;
}

/** No more input on a stream of an exec. */
export interface InputEof {
  type: "eof";
  seq: number;
  id: number;
  stream: string;
}

/** Ends an attach, whose process runs on, a watch, a stream or a subscription. */
export interface Detach {
  type: "detach";
  seq: number;
  id: number;
}

/** The application has consumed `bytes` more of an output stream. */
export interface Consumed {
  type: "consumed";
  seq: number;
  id: number;
  rank: number;
  stream: string;
  bytes: number;
}

/** Signatures for SIGSTOP and SIGCONT (RFC 42 kill in signed form), from a client that signs. */
export interface Brake {
  type: "brake";
  seq: number;
  id: number;
  rank: number;
  stop: string;
  cont: string;
}

/** A new signature for the list of a watch (RFC 42 list in signed form). */
export interface Fresh {
  type: "fresh";
  seq: number;
  id: number;
  signature: string;
}

/** All messages up to `seq` are taken. Not in the sequence. */
export interface Ack {
  type: "ack";
  seq: number;
}

/** A JSON message of a client in the sequence. */
export type SequencedClientMessage = Request | SignedWrite | InputEof | Detach | Consumed | Brake | Fresh;

/** A JSON message of a client, after the opening. */
export type ClientMessage = SequencedClientMessage | Ack | Ping | NewToken;

/** A response of one rank (RFC 6); for exec and attach, an RFC 42 response other than output and add-credit. */
export interface Response {
  type: "response";
  seq: number;
  id: number;
  rank: number;
  payload: Json;
}

/** The end of an output stream of one rank. */
export interface OutputEof {
  type: "eof";
  seq: number;
  id: number;
  rank: number;
  stream: string;
}

/** Output is missing here, because it was not consumed in time. */
export interface Gap {
  type: "gap";
  seq: number;
  id: number;
  rank: number;
  stream: string;
  bytes: number;
}

/** The broker of a rank of an exec or attach does not answer, or answers again. */
export interface Responsiveness {
  type: "unresponsive" | "responsive";
  seq: number;
  id: number;
  rank: number;
}

/** Every rank of an exec has room for `bytes` more on an input stream (RFC 42 add-credit). It may follow a {@link Refused}. */
export interface Credit {
  type: "credit";
  seq: number;
  id: number;
  stream: string;
  bytes: number;
}

/** An input stream of an exec takes no input. */
export interface Refused {
  type: "refused";
  seq: number;
  id: number;
  stream: string;
  /** The number of input bytes that were passed on before. Later ones are dropped. */
  bytes: number;
  errno: number;
  message: string;
}

/** The client's signature of a watch is too old. The client sends a {@link Fresh} one. */
export interface Stale {
  type: "stale";
  seq: number;
  id: number;
}

/** The last message of a rank, or of several, whose request failed. */
export interface RankError {
  type: "error";
  seq: number;
  id: number;
  /** Absent if `ranks` is present. */
  rank?: number | undefined;
  /** An RFC 22 idset. */
  ranks?: string | undefined;
  errno: number;
  message: string;
}

/** The last message of a rank whose streaming request succeeded (RFC 6 ENODATA). */
export interface RankEnd {
  type: "end";
  seq: number;
  id: number;
  rank: number;
}

/** A JSON message of a proxy in the sequence. */
export type SequencedServerMessage =
  | Response
  | OutputEof
  | Gap
  | Responsiveness
  | Credit
  | Refused
  | Stale
  | RankError
  | RankEnd;

/** A JSON message of a proxy, after the opening. */
export type ServerMessage = SequencedServerMessage | Expiry | Ack | Ping;

/**
 * The ranks of a nodeid on an instance of `size` brokers, of which the proxy is connected to `rank`.
 * @throws TypeError if these are more than {@link MAX_IDS}
 */
export function ranksOf(nodeid: Nodeid, rank: number, size: number): number[] {
  if (nodeid === "any") return [rank];
  if (nodeid === "all" && size > MAX_IDS) throw new TypeError(`"all" is more than ${MAX_IDS} ranks`);
  if (nodeid === "all") return Array.from({ length: size }, (_, i) => i);
  return decodeIdset(nodeid);
}
