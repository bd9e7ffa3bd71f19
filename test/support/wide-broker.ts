/** A broker of as many ranks as it claims, none of which runs anything: it answers as RFC 42 says, at once or not at all. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeFrame, FrameDecoder } from "../../proxy/wire/framing.js";
import { FLAG, NODEID_ANY, type RequestMessage, ROLE } from "../../proxy/wire/message.js";

const ENODATA = 61;

export interface WideBroker extends AsyncDisposable {
  readonly uri: string;
}

/** Starts a broker that claims `size` ranks. A process whose command is "cat" or "sleep" never ends. */
export async function startWideBroker(size: number): Promise<WideBroker> {
  const directory = mkdtempSync(join(tmpdir(), "wide-broker-"));
  const path = join(directory, "local");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    const decoder = new FrameDecoder();
    socket.on("data", (chunk) => {
      socket.cork();
      for (const message of decoder.push(chunk))
        if (message.type === "request") answer(socket, message, size);
      socket.uncork();
    });
    socket.write(Uint8Array.of(0));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    uri: `local://${path}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function answer(socket: Socket, request: RequestMessage, size: number): void {
  const { topic = "", nodeid, matchtag, flags } = request;
  if (flags & FLAG.noresponse) return;
  const rank = nodeid === NODEID_ANY ? 0 : nodeid;
  const send = (errnum: number, payload?: object) => {
    const bytes = payload && Buffer.from(`${JSON.stringify(payload)}\0`);
    const has = bytes === undefined ? 0 : FLAG.payload;
    const flags = FLAG.topic | FLAG.route | has;
    const roles = ROLE.owner | ROLE.local;
    const common = { flags, userid: 0, rolemask: roles, routes: [], topic, payload: bytes };
    socket.write(encodeFrame({ type: "response", ...common, errnum, matchtag }));
  };
  const { cmd, name } = JSON.parse(
    Buffer.from(request.payload ?? [])
      .toString()
      .replace(/\0$/, "") || "{}",
  );
  switch (topic) {
    case "attr.get":
      send(0, {
        value: { rank: "0", size: String(size) }[name as string] ?? String(process.getuid?.()),
        flags: 1,
      });
      return;
    case "rexec.list":
      send(0, { rank, procs: [] });
      return;
    case "rexec.exec":
      send(0, { type: "started", pid: 1000 + matchtag });
      send(0, { type: "add-credit", channels: { stdin: 4_194_304 } });
      if (/^(cat|sleep)$/.test(cmd.cmdline[0])) return;
      for (const stream of ["stdout", "stderr"]) {
        send(0, { type: "output", io: { stream, rank: String(rank), eof: true } });
      }
      send(0, { type: "finished", status: 0 });
      send(ENODATA);
      return;
    default:
      send(2);
  }
}
