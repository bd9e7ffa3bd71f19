/**
 * A munged that answers as scripted, on a real UNIX socket, and bytes that a real one (MUNGE 0.5.15) has
 * said.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

export interface FakeMunged {
  readonly socket: string;
  /** The bytes of each connection. */
  readonly requests: Buffer[];
  close(): Promise<void>;
}

/** The treatment of a connection after a request. */
export type Script = (connection: Socket) => unknown;

export async function fakeMunged(script: Script): Promise<FakeMunged> {
  const directory = await mkdtemp(join(tmpdir(), "fake-munged-"));
  const requests: Buffer[] = [];
  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on("error", () => {});
    connection.once("data", (request: Buffer) => {
      requests.push(request);
      script(connection);
    });
  });
  const socket = join(directory, "socket");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    requests,
    async close() {
      for (const connection of connections) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true });
    },
  };
}

/** Says `response` and closes the connection, as munged does. */
export const say =
  (response: Uint8Array): Script =>
  (connection) =>
    connection.end(response);

/** Says `response` one byte at a time. */
export const dribble =
  (response: Uint8Array): Script =>
  async (connection) => {
    for (const byte of response) {
      connection.write(Uint8Array.of(byte));
      await delay(1);
    }
    connection.end();
  };

/** A message of munged's with this body. */
export function message(type: number, body: Uint8Array, header: { magic?: number; version?: number } = {}) {
  const bytes = Buffer.alloc(11 + body.length);
  bytes.writeUInt32BE(header.magic ?? 0x00606d4b, 0);
  bytes.set([header.version ?? 4, type], 4);
  bytes.writeUInt32BE(body.length, 7);
  bytes.set(body, 11);
  return bytes;
}

const hex = (text: string) => Buffer.from(text, "hex");

/** Responses to decode requests, each for a credential of uid 0 over "hello". */
export const DECODED = {
  success: hex(
    "00606d4b040500000000300000040500000000012c047f0000016b02e15c6b02e15c0000000000000000ffffffffffffffff0000000568656c6c6f",
  ),
  replayed: hex(
    "00606d4b0405000000004411145265706c617965642063726564656e7469616c00040500000000012c047f0000016b02e15c6b02e15c0000000000000000ffffffffffffffff0000000568656c6c6f",
  ),
  expired: hex(
    "00606d4b040500000000430f13457870697265642063726564656e7469616c000405000000000001047f0000016b02e15c6b02e15e0000000000000000ffffffffffffffff0000000568656c6c6f",
  ),
  invalid: hex(
    "00606d4b0405000000003a0e13496e76616c69642063726564656e7469616c000000000000000000000000000000000000ffffffffffffffffffffffffffffffff00000000",
  ),
  unauthorized: hex(
    "00606d4b04050000000056122f556e617574686f72697a65642063726564656e7469616c20666f7220636c69656e74205549443d30204749443d30000000000000000000000000000000000000ffffffffffffffffffffffffffffffff00000000",
  ),
};

/** The response to an encode request with a cipher that does not exist. */
export const ENCODE_REFUSED = hex(
  "00606d4b0403000000001e0a18496e76616c6964206369706865722074797065203230300000000000",
);
