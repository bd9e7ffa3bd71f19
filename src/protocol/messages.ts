/** The messages of the WebSocket, as types. PROTOCOL.md describes each. */
import { decodeIdset, MAX_IDS } from "./idset.js";

/** The WebSocket subprotocol (RFC 6455 section 1.9) that both sides name. */
export const SUBPROTOCOL = "flux-subprocess.v1";

/** Close codes, in the range that RFC 6455 section 7.4.2 leaves to applications. PROTOCOL.md says when. */
export enum CLOSE {
  normal = 1000,
  goingAway = 1001,
  tooBig = 1009,
  malformed = 4400,
  unauthorized = 4401,
  notResumable = 4404,
  timeout = 4408,
  idInUse = 4409,
  superseded = 4410,
  expired = 4411,
  outOfSequence = 4412,
  overrun = 4413,
  tooManySessions = 4423,
  creditOverrun = 4429,
  internal = 4500,
  brokerLost = 4503,
}

/** The largest frame that a proxy takes, header included. */
export const MAX_FRAME = 1024 * 1024;

/** The most process bytes that one binary frame carries. */
export const MAX_DATA = 256 * 1024;

/** The most bytes of UTF-8 that the name of a stream may have: in a binary frame its length is a byte. */
export const MAX_NAME = 255;

/** Bytes of output of a session that are sent and not consumed. */
export const OUTPUT_WINDOW = 4 * 1024 * 1024;

/** Bytes of input of a session that are sent and not acknowledged; of all a client's messages, twice that. */
export const INPUT_WINDOW = 4 * 1024 * 1024;

/** Who has taken so many bytes, or so many messages, acknowledges them. */
export const ACK_BYTES = 256 * 1024;
export const ACK_MESSAGES = 64;

/** The largest number of a message: a binary frame has 48 bits for it. */
export const MAX_SEQ = 2 ** 48 - 1;

/** Request ids are 1 to this; the proxy keeps the matchtags above for itself. */
export const MAX_ID = 0x7fffffff;

/** Where a request goes: "any", "all" or an RFC 22 idset of ranks, such as "0-3,7". */
export type Nodeid = string;

type Json = Record<string, unknown>;

/** The first message of a client. */
export interface Hello {
  type: "hello";
  token: string;
  /** For how long the session is to outlive a lost socket, in milliseconds. Absent: as the proxy likes. */
  grace?: number | undefined;
  /** The session to resume, and the last message that was taken. */
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

/** The proxy's answer to a good {@link Hello}. */
export interface Welcome {
  type: "welcome";
  session: string;
  /** The rank, the size and the owner's userid of the broker behind the proxy. */
  rank: number;
  size: number;
  owner: number;
  /** The Flux userid in whose name requests go. */
  userid: number;
  /** When the token ends, in seconds since 1970. */
  expires: number;
  /** The proxy's clock, in milliseconds since 1970. */
  time: number;
  /** For how long the session outlives a lost socket, in milliseconds. */
  grace: number;
  /** What resumes the session, once. Absent if nothing does. */
  resume?: string | undefined;
  /** The last message of the client that the proxy has taken. */
  received: number;
}

/** The token ends soon, or what the new one is good for. Not sequenced. */
export interface Expiry {
  type: "expiring" | "renewed";
  expires: number;
}

/** The successor of the token. Not sequenced. */
export interface NewToken {
  type: "token";
  token: string;
}

/** Is anybody there? Not sequenced. */
export interface Ping {
  type: "ping" | "pong";
}

/** What becomes of output that the client does not take in time. */
export type Overflow = "stop" | "gap" | "kill";

/** A Flux request (RFC 6) to one or more ranks. Takes the ids `id` to `id + ranks - 1`, in ascending order of rank. */
export interface Request {
  type: "request";
  seq: number;
  id: number;
  topic: string;
  nodeid: Nodeid;
  streaming: boolean;
  payload: Json;
  /** Whether the proxy is to sign it. */
  sign?: boolean | undefined;
  /** Absent: "stop" for an exec, "gap" for an attach. */
  overflow?: Overflow | undefined;
  /** How long each rank may take for its first answer, in milliseconds. Absent: for ever. */
  timeout?: number | undefined;
}

/** Input for one rank that the client has signed (RFC 42 write in signed form). */
export interface SignedWrite {
  type: "write";
  seq: number;
  id: number;
  rank: number;
  stream: string;
  /** How many bytes of input there are in it. */
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

/** Ends an attach; the process goes back to background. */
export interface Detach {
  type: "detach";
  seq: number;
  id: number;
}

/** The application has consumed so many bytes more of an output stream. */
export interface Consumed {
  type: "consumed";
  seq: number;
  id: number;
  rank: number;
  stream: string;
  bytes: number;
}

/** What stops a process and lets it go on, signed by the client (RFC 42 kill in signed form). */
export interface Brake {
  type: "brake";
  seq: number;
  id: number;
  rank: number;
  stop: string;
  cont: string;
}

/** A fresh signature of the list that a watch asks for (RFC 42 list in signed form). */
export interface Fresh {
  type: "fresh";
  seq: number;
  id: number;
  signature: string;
}

/** All messages up to `seq` are taken. Not itself sequenced. */
export interface Ack {
  type: "ack";
  seq: number;
}

/** The messages of a client that have a number, but for its binary ones. */
export type SequencedClientMessage = Request | SignedWrite | InputEof | Detach | Consumed | Brake | Fresh;

export type ClientMessage = SequencedClientMessage | Ack | Ping | NewToken;

/** A response of one rank (RFC 6); for exec and attach, an RFC 42 response other than output and add-credit. */
export interface Response {
  type: "response";
  seq: number;
  id: number;
  rank: number;
  payload: Json;
}

/** End of an output stream of one rank. */
export interface OutputEof {
  type: "eof";
  seq: number;
  id: number;
  rank: number;
  stream: string;
}

/** Output that nobody took in time is missing here. */
export interface Gap {
  type: "gap";
  seq: number;
  id: number;
  rank: number;
  stream: string;
  bytes: number;
}

/** The broker of a rank of an exec or attach does not answer, or does again. */
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

/** No input is taken on a stream of an exec. */
export interface Refused {
  type: "refused";
  seq: number;
  id: number;
  stream: string;
  /** Bytes of input that were passed on before. What the client has sent beyond is dropped. */
  bytes: number;
  errno: number;
  message: string;
}

/** The client's signature of a watch is too old to ask with: the client sends a {@link Fresh} one. */
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
  /** Absent where `ranks` is there. */
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

/** The messages of a proxy that have a number, but for its binary ones. */
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

export type ServerMessage = SequencedServerMessage | Expiry | Ack | Ping;

/** A message that is not what PROTOCOL.md says, with the close code for it. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  constructor(
    readonly closeCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The error of a message, or of a field of one, that PROTOCOL.md does not have. */
export function malformed(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(CLOSE.malformed, what, { cause });
}

/**
 * The ranks that a nodeid means on an instance of `size` brokers, when the broker spoken to is `rank`.
 * @throws TypeError if they are more than an idset may have
 */
export function ranksOf(nodeid: Nodeid, rank: number, size: number): number[] {
  if (nodeid === "any") return [rank];
  if (nodeid === "all" && size > MAX_IDS) throw new TypeError(`"all" is more than ${MAX_IDS} ranks`);
  if (nodeid === "all") return Array.from({ length: size }, (_, i) => i);
  return decodeIdset(nodeid);
}
