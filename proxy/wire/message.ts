/**
 * Flux messages (RFC 3) as the body of one frame on a UNIX stream socket. Pure: bytes in, messages out.
 *
 * Where RFC 3 and flux-core differ, this is what flux-core does: routes and topic carry no NUL.
 */

/** RFC 3 `flag-*`. */
export const FLAG = {
  topic: 0x01,
  payload: 0x02,
  noresponse: 0x04,
  route: 0x08,
  upstream: 0x10,
  private: 0x20,
  streaming: 0x40,
  user1: 0x80,
} as const;

/** RFC 12 role bits, as they appear in `rolemask`. */
export const ROLE = { owner: 0x1, user: 0x2, local: 0x4 } as const;

/** The userid of a message whose broker is to fill it in (RFC 3). */
export const USERID_UNKNOWN = 0xffffffff;
/** The nodeid of a request to any rank (RFC 3). */
export const NODEID_ANY = 0xffffffff;
/** The matchtag of a request without a response (RFC 6). */
export const MATCHTAG_NONE = 0;

interface Common {
  /** Bits of {@link FLAG}. `topic`, `payload` and `route` must agree with what the message has. */
  flags: number;
  userid: number;
  rolemask: number;
  /** The route stack from the first part on; the last hop comes first. */
  routes: readonly string[];
  topic?: string | undefined;
  /** The payload as it stands on the wire: JSON and strings with their NUL. */
  payload?: Uint8Array | undefined;
}

/** A request (RFC 3). */
export interface RequestMessage extends Common {
  type: "request";
  nodeid: number;
  matchtag: number;
}

/** A response (RFC 3). */
export interface ResponseMessage extends Common {
  type: "response";
  errnum: number;
  matchtag: number;
}

/** An event (RFC 3). */
export interface EventMessage extends Common {
  type: "event";
  sequence: number;
}

/** A control message (RFC 3). */
export interface ControlMessage extends Common {
  type: "control";
  controlType: number;
  status: number;
}

/** Any message (RFC 3). */
export type Message = RequestMessage | ResponseMessage | EventMessage | ControlMessage;

/** Bytes that are no Flux message. The only error that the wire codec throws. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const MAGIC = 0x8e;
const VERSION = 0x01;
const HEADER_SIZE = 20;

/**
 * The parts of a message: routes, delimiter, topic, payload, header. RFC 3 bounds no route stack; one of a tree of brokers is as
 * long as the tree is deep. A part takes a hundred times its bytes if it has none.
 */
const MAX_PARTS = 256;
const TYPE = { request: 0x01, response: 0x02, event: 0x04, control: 0x08 } as const;

const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });

const partSize = (length: number): number => length + (length < 255 ? 1 : 5);

/** Encodes the parts of a message. @param prefix bytes before them that are left free, for the frame's magic and length */
export function encodeMessage(message: Message, prefix = 0): Uint8Array {
  const parts: Uint8Array[] = [];
  if (message.flags & FLAG.route) {
    for (const route of message.routes) parts.push(utf8.encode(route));
    parts.push(new Uint8Array(0));
  }
  if (message.flags & FLAG.topic) parts.push(utf8.encode(message.topic ?? ""));
  if (message.flags & FLAG.payload) parts.push(message.payload ?? new Uint8Array(0));
  parts.push(encodeHeader(message));

  const body = new Uint8Array(parts.reduce((size, part) => size + partSize(part.length), prefix));
  const view = new DataView(body.buffer);
  let at = prefix;
  for (const part of parts) {
    if (part.length < 255) {
      body[at++] = part.length;
    } else {
      body[at] = 255;
      view.setUint32(at + 1, part.length);
      at += 5;
    }
    body.set(part, at);
    at += part.length;
  }
  return body;
}

function encodeHeader(message: Message): Uint8Array {
  const header = new Uint8Array(HEADER_SIZE);
  const view = new DataView(header.buffer);
  const [aux1, aux2] = auxiliary(message);
  header.set([MAGIC, VERSION, TYPE[message.type], message.flags]);
  view.setUint32(4, message.userid);
  view.setUint32(8, message.rolemask);
  view.setUint32(12, aux1);
  view.setUint32(16, aux2);
  return header;
}

/** The last two integers of the header, whose meaning depends on the type (RFC 3, PROTO). */
function auxiliary(message: Message): [number, number] {
  switch (message.type) {
    case "request":
      return [message.nodeid, message.matchtag];
    case "response":
      return [message.errnum, message.matchtag];
    case "event":
      return [message.sequence, 0];
    case "control":
      return [message.controlType, message.status];
  }
}

/**
 * Decodes the body of one frame. The payload is a view of `body`, not a copy.
 * @throws WireError naming what is wrong
 */
export function decodeMessage(body: Uint8Array): Message {
  const parts = splitParts(body);
  const header = parts.pop();
  if (header === undefined || header.length !== HEADER_SIZE) throw new WireError("message has no header");
  if (header[0] !== MAGIC) throw new WireError("message header has a wrong magic");
  if (header[1] !== VERSION) throw new WireError(`message version ${header[1]} is not supported`);

  const view = new DataView(header.buffer, header.byteOffset, HEADER_SIZE);
  const flags = view.getUint8(3);
  let next = 0;
  const routes: string[] = [];
  if (flags & FLAG.route) {
    for (;;) {
      const part = parts[next++];
      if (part === undefined) throw new WireError("message has no route delimiter");
      if (part.length === 0) break;
      routes.push(decodeText(part, "route"));
    }
  }
  const take = (what: string): Uint8Array => {
    const part = parts[next++];
    if (part === undefined) throw new WireError(`message has no ${what}`);
    return part;
  };
  const topic = flags & FLAG.topic ? decodeText(take("topic"), "topic") : undefined;
  const payload = flags & FLAG.payload ? take("payload") : undefined;
  if (next !== parts.length) throw new WireError("message has more parts than its flags say");

  const common = { flags, userid: view.getUint32(4), rolemask: view.getUint32(8), routes, topic, payload };
  const aux1 = view.getUint32(12);
  const aux2 = view.getUint32(16);
  switch (header[2]) {
    case TYPE.request:
      return { type: "request", ...common, nodeid: aux1, matchtag: aux2 };
    case TYPE.response:
      return { type: "response", ...common, errnum: aux1, matchtag: aux2 };
    case TYPE.event:
      return { type: "event", ...common, sequence: aux1 };
    case TYPE.control:
      return { type: "control", ...common, controlType: aux1, status: aux2 };
    default:
      throw new WireError(`message type ${header[2]} is not known`);
  }
}

function splitParts(body: Uint8Array): Uint8Array[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < body.length) {
    let size = view.getUint8(at++);
    if (size === 255) {
      if (at + 4 > body.length) throw new WireError("message ends inside the size of a part");
      size = view.getUint32(at);
      at += 4;
    }
    if (at + size > body.length) throw new WireError("message ends inside a part");
    if (parts.length === MAX_PARTS) throw new WireError(`message has more than ${MAX_PARTS} parts`);
    parts.push(body.subarray(at, at + size));
    at += size;
  }
  return parts;
}

function decodeText(part: Uint8Array, what: string): string {
  try {
    return text.decode(part);
  } catch (cause) {
    throw new WireError(`${what} is not UTF-8`, { cause });
  }
}
