/** Any runtime's WebSocket as a {@link Transport}. No other file imports isomorphic-ws. */
import WebSocket from "isomorphic-ws";
import { SUBPROTOCOL } from "../protocol/messages.js";
import type { Connector } from "./transport.js";

/** @param url the proxy's URL, ws or wss @returns starts a WebSocket with this protocol's subprotocol */
export function webSocketConnector(url: string): Connector {
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
    // Node's ws puts the cause into the event; a browser does not. Close always follows.
    socket.onerror = (event) => {
      cause = (event as ErrorEvent).error ?? (event as ErrorEvent).message;
    };
    socket.onclose = ({ code, reason }) => {
      events.closed({ code, reason, opened, cause });
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
