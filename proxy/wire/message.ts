/**
 * Flux messages (RFC 3) as the body of one frame on a UNIX stream socket. Pure: bytes in, messages out.
 *
 * Where RFC 3 and flux-core differ, this file follows flux-core: routes and topic have no NUL.
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
  /** Bits of {@link FLAG}. `topic`, `payload` and `route` must agree with the parts of the message. */
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

/** The bytes are not a Flux message. The wire codec throws no other error. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const MAGIC = 0x8e;
const VERSION = 0x01;
const HEADER_SIZE = 20;

/**
 * The parts of a message: routes, delimiter, topic, payload, header. RFC 3 has no limit on a route stack; in a tree of
 * brokers, it is as long as the tree is deep. Without this limit, parts without bytes would take a hundred times their size in memory.
 */
const MAX_PARTS = 256;

type Integers = readonly [number, number];

/** One type of message in the header (RFC 3, PROTO). */
interface TypeRow<M extends Message> {
  readonly code: number;
  /** The header's last two integers, whose meaning depends on the type. */
  integers(message: M): Integers;
  message(common: Common, integers: Integers): M;
}

const TYPES: { readonly [T in Message["type"]]: TypeRow<Extract<Message, { type: T }>> } = {
  request: {
    code: 0x01,
    integers: ({ nodeid, matchtag }) => [nodeid, matchtag],
    message: (common, [nodeid, matchtag]) => ({ type: "request", ...common, nodeid, matchtag }),
  },
  response: {
    code: 0x02,
    integers: ({ errnum, matchtag }) => [errnum, matchtag],
    message: (common, [errnum, matchtag]) => ({ type: "response", ...common, errnum, matchtag }),
  },
  event: {
    code: 0x04,
    integers: ({ sequence }) => [sequence, 0],
    message: (common, [sequence]) => ({ type: "event", ...common, sequence }),
  },
  control: {
    code: 0x08,
    integers: ({ controlType, status }) => [controlType, status],
    message: (common, [controlType, status]) => ({ type: "control", ...common, controlType, status }),
  },
};

const TYPES_BY_CODE: ReadonlyMap<number, TypeRow<Message>> = new Map(
  Object.values(TYPES).map((row) => [row.code, row as TypeRow<Message>]),
);

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
  const { code, integers } = TYPES[message.type] as TypeRow<Message>;
  const [first, second] = integers(message);
  header.set([MAGIC, VERSION, code, message.flags]);
  view.setUint32(4, message.userid);
  view.setUint32(8, message.rolemask);
  view.setUint32(12, first);
  view.setUint32(16, second);
  return header;
}

/**
 * Decodes the body of one frame. The payload is a view of `body`, not a copy.
 * @throws WireError naming the fault
 */
export function decodeMessage(body: Uint8Array): Message {
  const parts = splitParts(body);
  const header = parts.pop();
  if (header === undefined || header.length !== HEADER_SIZE) throw new WireError("message has no header");
  if (header[0] !== MAGIC) throw new WireError("message header has a wrong magic");
  if (header[1] !== VERSION) throw new WireError(`message version ${header[1]} is not supported`);

  const view = new DataView(header.buffer, header.byteOffset, HEADER_SIZE);
  const code = view.getUint8(2);
  const flags = view.getUint8(3);
  const { routes, topic, payload } = readParts(parts, flags);
  const row = TYPES_BY_CODE.get(code);
  if (row === undefined) throw new WireError(`message type ${code} is not known`);
  const common = { flags, userid: view.getUint32(4), rolemask: view.getUint32(8), routes, topic, payload };
  return row.message(common, [view.getUint32(12), view.getUint32(16)]);
}

/** Reads the parts before the header, in the order of RFC 3. The flags say which of them a message has. */
function readParts(
  parts: readonly Uint8Array[],
  flags: number,
): Pick<Common, "routes" | "topic" | "payload"> {
  let next = 0;
  const take = (name: string): Uint8Array => {
    const part = parts[next++];
    if (part === undefined) throw new WireError(`message has no ${name}`);
    return part;
  };
  const routes: string[] = [];
  if (flags & FLAG.route) {
    for (let part = take("route delimiter"); part.length > 0; part = take("route delimiter")) {
      routes.push(decodeText(part, "route"));
    }
  }
  const topic = flags & FLAG.topic ? decodeText(take("topic"), "topic") : undefined;
  const payload = flags & FLAG.payload ? take("payload") : undefined;
  if (next !== parts.length) throw new WireError("message has more parts than its flags say");
  return { routes, topic, payload };
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

function decodeText(part: Uint8Array, name: string): string {
  try {
    return text.decode(part);
  } catch (cause) {
    throw new WireError(`${name} is not UTF-8`, { cause });
  }
}
