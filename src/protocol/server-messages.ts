/** The shapes of a proxy's messages, for the client. */

import {
  id,
  idset,
  lastSeq,
  name,
  natural,
  object,
  optional,
  positive,
  rank,
  seq,
  string,
} from "./checks.js";
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
    received: lastSeq,
  },
};

const SERVER: Shapes<ServerMessage> = {
  response: { seq, id, rank, payload: object },
  eof: { seq, id, rank, stream: name },
  gap: { seq, id, rank, stream: name, bytes: positive },
  credit: { seq, id, stream: name, bytes: natural },
  refused: { seq, id, stream: name, bytes: natural, errno: positive, message: string },
  error: {
    seq,
    id,
    rank: (value) => optional(value, rank),
    ranks: (value) => optional(value, idset),
    errno: positive,
    message: string,
  },
  end: { seq, id, rank },
  stale: { seq, id },
  unresponsive: { seq, id, rank },
  responsive: { seq, id, rank },
  expiring: { expires: natural },
  renewed: { expires: natural },
  ack: { seq: lastSeq },
  ping: {},
  pong: {},
};

/** Checks a challenge or welcome. @throws ProtocolError */
export function parseOpening(text: string): Challenge | Welcome {
  return read(text, OPENING, "the first message is not welcome") as Challenge | Welcome;
}

/** Checks a message of a proxy after its welcome. @throws ProtocolError */
export function parseServerMessage(text: string): ServerMessage {
  return read(text, SERVER) as ServerMessage;
}
