/** Transports over the runtime's WebSocket. No other file imports isomorphic-ws. */
import WebSocket from "isomorphic-ws";
import { SUBPROTOCOL } from "../protocol/messages.js";
import type { Connector } from "./transport.js";

/** A connector to `url`, ws: or wss:. @throws TypeError if the runtime has no WebSocket */
export function webSocketConnector(url: string): Connector {
  if (typeof WebSocket !== "function") throw new TypeError("this runtime has no WebSocket");
  return (events) => {
    const socket = new WebSocket(url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    let opened = false;
    let cause: unknown;
    socket.onopen = () => {
      opened = true;
      events.opened();
    };
    socket.onmessage = ({ data }) => {
      events.message(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
    };
    // Node's ws has the cause in this event; a browser does not. A close event always follows.
    socket.onerror = (event) => {
      cause = (event as ErrorEvent).error ?? (event as ErrorEvent).message;
    };
    socket.onclose = ({ code, reason }) => {
      // Deno's code is 0, and not 1006, for a connection that was reset.
      events.closed({ code: code || 1006, reason, opened, cause });
    };
    return {
      send: (message) => socket.send(message),
      close: (code, reason) => socket.close(code, reason),
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
    };
  };
}
