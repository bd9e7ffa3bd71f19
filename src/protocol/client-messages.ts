/** The shapes of a client's messages, for the proxy. */
import {
  boolean,
  id,
  lastSeq,
  milliseconds,
  name,
  natural,
  nodeid,
  object,
  optional,
  overflow,
  positive,
  range,
  rank,
  seq,
  streamName,
  string,
} from "./checks.js";
import { type ClientMessage, type Hello, MAX_DATA, type Proof } from "./messages.js";
import { nested, read, type Shape, type Shapes } from "./shape.js";

const RESUME: Shape = { id: string, received: lastSeq };

const HELLO: Shapes<Hello> = {
  hello: {
    token: string,
    grace: (value) => optional(value, natural),
    resume: (value) => optional(value, (resume) => nested(resume, RESUME)),
  },
};

const PROOF: Shapes<Proof> = { proof: { proof: string } };

const CLIENT: Shapes<ClientMessage> = {
  request: {
    seq,
    id,
    topic: name,
    nodeid,
    streaming: boolean,
    payload: object,
    sign: (value) => optional(value, boolean),
    overflow: (value) => optional(value, overflow),
    timeout: (value) => optional(value, milliseconds),
  },
  write: {
    seq,
    id,
    rank,
    stream: streamName,
    bytes: (value) => range(value, 0, MAX_DATA),
    signature: string,
  },
  eof: { seq, id, stream: streamName },
  detach: { seq, id },
  consumed: { seq, id, rank, stream: streamName, bytes: positive },
  brake: { seq, id, rank, stop: string, cont: string },
  fresh: { seq, id, signature: string },
  ack: { seq: lastSeq },
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
