/** The HTTP server that accepts WebSockets. It does not read their messages. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { MAX_FRAME, SUBPROTOCOL } from "../src/protocol/messages.js";
import { CLOSE } from "../src/protocol/protocol-error.js";
import type { Dashboard } from "./dashboard.js";
import { keepAlive } from "./keepalive.js";
import { MessageTurns } from "./message-turns.js";
import { Newcomers } from "./newcomers.js";
import { ClientConnection, type ClientConnectionOptions } from "./session/client-connection.js";

/** The time for a client's handshake, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** The time for clients to answer the close when the proxy stops, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1000;

/** The address and the behaviour of a listener. */
export interface ListenerOptions {
  host: string;
  port: number;
  path: string;
  pingIntervalMs: number;
  /** The dashboard, if it is served. */
  pages?: Dashboard | undefined;
}

/** A listener that accepts connections. */
export interface Listener {
  readonly address: AddressInfo;
  /**
   * Closes every connection with 1001 and stops listening. Takes little more than a second, even if clients do
   * not answer.
   */
  close(): Promise<void>;
}

/** @throws the error of listen(2), such as EADDRINUSE */
export async function listen(
  options: ListenerOptions,
  connectionOptions: ClientConnectionOptions,
): Promise<Listener> {
  const sockets = new Map<WebSocket, ClientConnection>();
  const newcomers = new Newcomers();
  const turns = new MessageTurns();
  const upgrader = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME,
    perMessageDeflate: false,
    autoPong: false,
    // Other sockets have turns in between: see MessageTurns.
    allowSynchronousEvents: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  const server = createServer(
    {
      headersTimeout: HANDSHAKE_TIMEOUT_MS,
      requestTimeout: HANDSHAKE_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => answerPlain(options, request, response),
  );
  // Node limits the time of a request, and not the time of its answer. This limit does not hold for a WebSocket.
  server.timeout = HANDSHAKE_TIMEOUT_MS;
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    const status = refusal(options.path, request);
    if (status !== undefined) return refuse(socket, status);
    upgrader.handleUpgrade(request, socket, head, (ws) => {
      const peer = request.socket.remoteAddress;
      const connection = serve(ws, { ...connectionOptions, peer });
      sockets.set(ws, connection);
      newcomers.add(connection, ws, socket);
      turns.add(ws, () => connection.welcomed);
      ws.on("close", () => sockets.delete(ws));
    });
  });
  await listening(server, options);
  // accept(2) may fail later, such as with EMFILE. Open connections go on.
  server.on("error", connectionOptions.onFault);
  const stopPinging = keepAlive(sockets, options.pingIntervalMs);

  return {
    address: server.address() as AddressInfo,
    async close() {
      stopPinging();
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of sockets.values()) connection.shutdown();
      const deadline = setTimeout(() => {
        for (const ws of sockets.keys()) ws.terminate();
        server.closeAllConnections();
      }, CLOSE_TIMEOUT_MS);
      await closed;
      clearTimeout(deadline);
    },
  };
}

function listening(server: Server, { host, port }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Codes with which a client ends its session. After any other close, the client can resume it. PROTOCOL.md, "Close codes". */
const ENDING: ReadonlySet<number> = new Set([
  CLOSE.normal,
  CLOSE.goingAway,
  CLOSE.malformed,
  CLOSE.outOfSequence,
  CLOSE.internal,
]);

/** The close codes of ws's errors (RFC 6455 section 7.4.1). */
const BROKEN: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: CLOSE.tooBig,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: CLOSE.tooBig,
};

/** The close code of its other errors. */
const PROTOCOL_ERROR = 1002;

function serve(ws: WebSocket, options: ClientConnectionOptions): ClientConnection {
  const sent = () => connection.drained();
  const connection = new ClientConnection(
    {
      sendText: (text) => ws.send(text, sent),
      sendBinary: (bytes) => ws.send(bytes, sent),
      close: (code, reason) => ws.close(code, reason),
      get bufferedAmount() {
        return ws.bufferedAmount;
      },
    },
    options,
  );
  // With the default binaryType of ws every message is one Buffer.
  ws.on("message", (data: Buffer, isBinary) =>
    isBinary ? connection.binary(data) : connection.text(data.toString()),
  );
  // RFC 6455 section 5.5.3: one pong answers several pings. A client that does not read gets none.
  ws.on("ping", (data) => ws.bufferedAmount < MAX_FRAME && ws.pong(data));
  // ws itself closes the socket after a message that is malformed or over MAX_FRAME.
  ws.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code?.startsWith("WS_ERR_")) connection.broken(BROKEN[code] ?? PROTOCOL_ERROR, message);
  });
  ws.on("close", (code) => connection.closed(ENDING.has(code) ? code : undefined));
  return connection;
}

/** The HTTP status that refuses a handshake; undefined if it is accepted. */
function refusal(path: string, request: IncomingMessage): number | undefined {
  if (pathOf(request) !== path) return 404;
  const offered = request.headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim());
  return offered?.includes(SUBPROTOCOL) ? undefined : 400;
}

function refuse(socket: Duplex, status: number): void {
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Answers an HTTP request that is not a handshake (RFC 9110 section 15.5.22). */
function answerPlain(
  { path, pages }: ListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const wanted = pathOf(request);
  if (wanted !== undefined && pages?.(wanted, request, response)) return;
  const headers = { connection: "close", "content-length": 0 };
  if (wanted === path) response.writeHead(426, { ...headers, upgrade: "websocket" });
  else response.writeHead(404, headers);
  response.end();
}

function pathOf(request: IncomingMessage): string | undefined {
  return request.url?.split("?", 1)[0];
}
