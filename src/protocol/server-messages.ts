/** The messages of a proxy, as its client reads them. */

import { id, name, natural, object, optional, positive, rank, string } from "./checks.js";
import type { Challenge, ServerMessage, Welcome } from "./messages.js";
import { read, type Shapes } from "./shape.js";

const OPENING: Shapes<Challenge | Welcome> = {
  challenge: { nonce: name },
  welcome: {
    session: name,
    rank,
    size: positive,
    owner: natural,
    userid: natural,
    expires: natural,
    time: natural,
    grace: natural,
    resume: (value) => optional(value, name),
    received: natural,
  },
};

const SERVER: Shapes<ServerMessage> = {
  response: { seq: positive, id, rank, payload: object },
  eof: { seq: positive, id, rank, stream: name },
  gap: { seq: positive, id, rank, stream: name, bytes: positive },
  credit: { seq: positive, id, stream: name, bytes: positive },
  refused: { seq: positive, id, stream: name, errno: positive, message: string },
  stale: { seq: positive, id },
  error: { seq: positive, id, rank, errno: positive, message: string },
  end: { seq: positive, id, rank },
  expiring: { expires: natural },
  renewed: { expires: natural },
  ack: { seq: natural },
  ping: {},
  pong: {},
};

/** Checks a message of a proxy before its welcome, or that itself. @throws ProtocolError */
export function parseOpening(text: string): Challenge | Welcome {
  return read(text, OPENING, "the first message is not welcome") as Challenge | Welcome;
}

/** Checks a message of a proxy after its welcome. @throws ProtocolError */
export function parseServerMessage(text: string): ServerMessage {
  return read(text, SERVER) as ServerMessage;
}
