/** The proxy's memory for a session whose client is absent, beside one that is connected. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { commandCreate } from "../../src/index.js";
import { SUBPROTOCOL } from "../../src/protocol/messages.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { startServers } from "../support/servers.js";
import { mib, printTable, printTarget } from "./table.js";

export interface AbsentOptions {
  uri?: string | undefined;
  /** Sessions of each kind. */
  sessions: number;
  /** The time that they are absent before the measurement, in seconds. */
  seconds: number;
}

const GRACE_MS = 3_600_000;

/** A process begins to write when all have started and the absent clients are gone: it would hold up the start of the next. */
const WRITES_AFTER_MS = 5000;
const WRITES = ["sh", "-c", `sleep ${WRITES_AFTER_MS / 1000}; exec yes`];

interface Kind {
  name: string;
  command: string[];
  processes: number;
}

const KINDS: readonly Kind[] = [
  { name: "one idle process", command: ["sleep", "600"], processes: 1 },
  { name: "one that writes without end", command: WRITES, processes: 1 },
  { name: "16 that write without end", command: WRITES, processes: 16 },
];

/** The most memory that an absent session may take, and the kind that shows it. */
const TARGET = 16 * 2 ** 20;

export async function absent(options: AbsentOptions): Promise<void> {
  const { sessions, seconds } = options;
  const rows = [];
  let most = 0;
  for (const kind of KINDS) {
    const connected = await cost(kind, false, options);
    const gone = await cost(kind, true, options);
    most = Math.max(most, gone);
    rows.push({
      "a session's processes": kind.name,
      "connected, does not consume": mib(connected),
      absent: mib(gone),
    });
  }
  console.log(`RSS of the proxy for each of ${sessions} sessions; absent for ${seconds} s`);
  printTable(rows);
  printTarget("the most of an absent one", mib(most), `<= ${mib(TARGET)}`, most <= TARGET);
}

/** The memory of a proxy of its own for each of its sessions. The first session warms it up. */
async function cost(kind: Kind, isAbsent: boolean, { uri, sessions, seconds }: AbsentOptions) {
  const { proxy, url, token, close } = await startServers({
    uri,
    proxy: { maxGraceMs: GRACE_MS, longSessionsPerSubject: sessions + 1 },
  });
  const rss = async (count: number) => {
    const sockets = await Promise.all(Array.from({ length: count }, () => client(url, token, kind)));
    if (isAbsent) for (const socket of sockets) socket.terminate();
    await sleep(WRITES_AFTER_MS + seconds * 1000);
    await proxy.request({ command: "gc" });
    return proxy.rss;
  };
  const before = await rss(1);
  const after = await rss(sessions);
  await close();
  return (after - before) / sessions;
}

/** Opens a session, and starts its processes. It acknowledges everything, and consumes nothing. */
function client(url: string, token: string, { command, processes }: Kind): Promise<WebSocket> {
  const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false });
  let seq = 0;
  let received = 0;
  const send = (message: object) => socket.send(JSON.stringify(message));
  const request = (_: unknown, n: number) => ({
    type: "request",
    seq: ++seq,
    id: n + 1,
    topic: "rexec.exec",
    nodeid: "any",
    streaming: true,
    payload: {
      cmd: commandCreate(command, { opts: { stdout_LINE_BUFFER: "false" } }),
      flags: EXEC_FLAG.stdout,
    },
  });
  return new Promise((resolve, reject) => {
    let started = 0;
    socket.on("open", () => send({ type: "hello", token, grace: GRACE_MS }));
    socket.on("message", (data: Buffer, binary) => {
      if (binary) {
        received++;
      } else {
        const message = JSON.parse(data.toString());
        if (message.seq !== undefined && message.type !== "ack") received++;
        if (message.type === "welcome") Array.from({ length: processes }, request).forEach(send);
        if (message.payload?.type === "started" && ++started === processes) resolve(socket);
        if (message.type === "error") reject(new Error(JSON.stringify(message)));
      }
      if (received % 16 === 0) send({ type: "ack", seq: received });
    });
    socket.on("error", reject);
    socket.on("close", (code, reason) => reject(new Error(`closed with ${code}: ${reason}`)));
  });
}
