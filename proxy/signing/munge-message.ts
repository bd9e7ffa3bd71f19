/**
 * The messages between a munge client and munged: one request and one response over a UNIX stream socket, integers big endian.
 * Pure: bytes in, messages out. Checked against MUNGE 0.5.15.
 */

const MAGIC = 0x00606d4b;
const VERSION = 4;
const TYPE = { encodeRequest: 2, encodeResponse: 3, decodeRequest: 4, decodeResponse: 5 } as const;

/** Magic, version, type, retry count, and the length of the body. */
export const HEADER_SIZE = 11;

/** munged's own limit on a body, in bytes. */
const BODY_LIMIT = 1024 * 1024;

const CIPHER_MAC_ZIP_DEFAULT = [1, 1, 1];
const ANYONE = 0xffffffff;

/** Error numbers of munge (munge.h) that matter here. */
export const EMUNGE = {
  success: 0,
  noMemory: 5,
  badCredential: 8,
  expired: 15,
  replayed: 17,
  unauthorized: 18,
} as const;

/** The bytes are not a response of munged. */
export class MungeMessageError extends Error {
  override readonly name = "MungeMessageError";
}

interface Answer {
  /** 0, or a munge error number. */
  readonly errnum: number;
  /** munged's own words for the error. */
  readonly errorText: string;
}

/** The answer to `encodeRequest`. */
export interface EncodeResponse extends Answer {
  readonly credential: string;
}

/** The fields beside `errnum` and `errorText` are valid only if munge could open the credential. */
export interface DecodeResponse extends Answer {
  /** The time that the credential was made, in seconds since 1970. */
  readonly encodeTime: number;
  readonly uid: number;
  readonly gid: number;
  readonly payload: Uint8Array;
}

/** Requests a credential over `payload`, for the user at the other end of the socket. */
export function encodeRequest(payload: Uint8Array): Uint8Array {
  const options = Buffer.from([...CIPHER_MAC_ZIP_DEFAULT, 0 /* length of the realm */]);
  return request(
    TYPE.encodeRequest,
    options,
    u32(0 /* the default ttl */, ANYONE, ANYONE),
    prefixed(payload),
  );
}

/** Requests a credential's content. */
export function decodeRequest(credential: string): Uint8Array {
  return request(TYPE.decodeRequest, prefixed(Buffer.from(`${credential}\0`)));
}

/** The size of the whole message that starts with `header`. @throws MungeMessageError if the header is not a response's */
export function messageSize(header: Buffer): number {
  if (header.readUInt32BE(0) !== MAGIC)
    throw new MungeMessageError("its response does not start with the magic");
  if (header[4] !== VERSION)
    throw new MungeMessageError(`its response's version ${header[4]} is not supported`);
  const length = header.readUInt32BE(7);
  if (length > BODY_LIMIT)
    throw new MungeMessageError(`its response of ${length} bytes is over munge's limit`);
  return HEADER_SIZE + length;
}

/** @throws MungeMessageError if `message` is not a response to `encodeRequest` */
export function decodeEncodeResponse(message: Buffer): EncodeResponse {
  const fields = new Fields(message, TYPE.encodeResponse);
  const errnum = fields.u8();
  const errorText = fields.text(fields.u8());
  const credential = fields.text(fields.u32());
  fields.end();
  return { errnum, errorText, credential };
}

/** @throws MungeMessageError if `message` is not a response to `decodeRequest` */
export function decodeDecodeResponse(message: Buffer): DecodeResponse {
  const fields = new Fields(message, TYPE.decodeResponse);
  const errnum = fields.u8();
  const errorText = fields.text(fields.u8());
  fields.bytes(3); // cipher, mac, zip
  fields.bytes(fields.u8()); // realm
  fields.u32(); // ttl
  fields.bytes(fields.u8()); // address of the host that made the credential
  const encodeTime = fields.u32();
  fields.u32(); // time of decoding
  const uid = fields.u32();
  const gid = fields.u32();
  fields.bytes(8); // uid and gid that may decode the credential
  const payload = fields.bytes(fields.u32());
  fields.end();
  return { errnum, errorText, encodeTime, uid, gid, payload };
}

function request(type: number, ...parts: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(MAGIC), Buffer.from([VERSION, type, 0 /* first try */]), u32(body.length), body]);
}

function prefixed(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([u32(bytes.length), bytes]);
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i);
  return bytes;
}

class Fields {
  readonly #message: Buffer;
  #at = HEADER_SIZE;

  constructor(message: Buffer, type: number) {
    if (message[5] !== type)
      throw new MungeMessageError(`its response's type ${message[5]} does not match the request`);
    this.#message = message;
  }

  bytes(size: number): Buffer {
    const bytes = this.#message.subarray(this.#at, this.#at + size);
    if (bytes.length < size) throw new MungeMessageError("its response ends inside a field");
    this.#at += size;
    return bytes;
  }

  u8(): number {
    return this.bytes(1).readUInt8();
  }

  u32(): number {
    return this.bytes(4).readUInt32BE();
  }

  /** Drops a NUL at the end: some texts have one. */
  text(size: number): string {
    return this.bytes(size).toString("utf8").replace(/\0$/, "");
  }

  end(): void {
    if (this.#at < this.#message.length) throw new MungeMessageError("its response has more than its fields");
  }
}
