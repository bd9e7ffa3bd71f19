/** The messages of a client, as its proxy reads them. */

import {
  type Check,
  id,
  name,
  natural,
  object,
  optional,
  overflow,
  positive,
  range,
  rank,
  string,
} from "./checks.js";
import { decodeIdset } from "./idset.js";
import { type ClientMessage, type Hello, MAX_DATA, type Proof } from "./messages.js";
import { pick, read, type Shapes } from "./shape.js";

const boolean: Check = (value) => typeof value !== "boolean" && "is not a boolean";

const nodeid: Check = (value) => {
  if (value === "any" || value === "all") return false;
  try {
    return string(value) || (decodeIdset(value as string).length === 0 && "is an empty idset");
  } catch {
    return 'is not "any", "all" or an idset';
  }
};

const resume: Check = (value) => {
  const wrong = object(value);
  if (!wrong) pick(value as Record<string, unknown>, { id: string, received: natural });
  return wrong;
};

const HELLO: Shapes<Hello> = {
  hello: {
    token: string,
    grace: (value) => optional(value, natural),
    resume: (value) => optional(value, resume),
  },
};

const PROOF: Shapes<Proof> = { proof: { proof: string } };

const CLIENT: Shapes<ClientMessage> = {
  request: {
    seq: positive,
    id,
    topic: name,
    nodeid,
    streaming: boolean,
    payload: object,
    sign: (value) => optional(value, boolean),
    overflow: (value) => optional(value, overflow),
  },
  write: {
    seq: positive,
    id,
    rank,
    stream: name,
    bytes: (value) => range(value, 0, MAX_DATA),
    signature: string,
  },
  eof: { seq: positive, id, stream: name },
  detach: { seq: positive, id },
  consumed: { seq: positive, id, rank, stream: name, bytes: positive },
  brake: { seq: positive, id, rank, stop: string, cont: string },
  fresh: { seq: positive, id, signature: string },
  ack: { seq: natural },
  ping: {},
  pong: {},
  token: { token: string },
};

/** Checks the first message of a client. @throws ProtocolError */
export function parseHello(text: string): Hello {
  return read(text, HELLO, "the first message is not hello") as Hello;
}

/** Checks the answer of a client to a challenge. @throws ProtocolError */
export function parseProof(text: string): Proof {
  return read(text, PROOF, "the answer to a challenge is not proof") as Proof;
}

/** Checks a message of a client after its hello. @throws ProtocolError */
export function parseClientMessage(text: string): ClientMessage {
  return read(text, CLIENT) as ClientMessage;
}
