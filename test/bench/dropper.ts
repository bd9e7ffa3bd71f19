/** A minimal client: it opens a session, starts a process, and disappears. */
import { WebSocket } from "ws";
import { commandCreate } from "../../src/index.js";
import { SUBPROTOCOL } from "../../src/protocol/messages.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";

/** A process that still runs when its session ends. */
const COMMAND = ["sleep", "60"];

const REQUEST = JSON.stringify({
  type: "request",
  seq: 1,
  id: 1,
  topic: "rexec.exec",
  nodeid: "any",
  streaming: true,
  payload: { cmd: commandCreate(COMMAND), flags: EXEC_FLAG.stdout },
});

/** Opens one session and drops it when its process has started. Rejects if the socket closes before. */
export function drop(url: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, SUBPROTOCOL);
    let started = false;
    socket.on("open", () => socket.send(JSON.stringify({ type: "hello", token })));
    socket.on("message", (data: Buffer, binary) => {
      if (binary) return;
      const { type, payload } = JSON.parse(data.toString());
      if (type === "welcome") socket.send(REQUEST);
      if (type !== "response" || payload.type !== "started") return;
      started = true;
      socket.terminate();
    });
    socket.on("error", reject);
    socket.on("close", (code, reason) => {
      if (started) resolve();
      else reject(new Error(`closed with ${code}: ${reason}`));
    });
  });
}
