/** Where the input of a call goes: as it is in binary frames, or each piece signed for each rank. */
import type { FluxError } from "../errors.js";
import { ALL_RANKS } from "../protocol/frame.js";
import { MAX_DATA } from "../protocol/messages.js";
import { ioObject } from "../protocol/rfc42.js";
import type { Call } from "./call.js";
import type { InputSink } from "./input.js";
import type { Outgoing } from "./outgoing.js";
import type { Signatures } from "./signatures.js";

/**
 * A byte may become six characters of JSON, and those eight of base64, which must fit into one message.
 * (PROTOCOL.md: a message to the proxy is at most 1 MiB.)
 */
const MAX_SIGNED_DATA = 64 * 1024;

export function plainSink(out: Outgoing, id: number, stream: string): InputSink {
  return {
    limit: MAX_DATA,
    turn: (send) => out.turn(send),
    data: (data) => out.data({ id, rank: ALL_RANKS, stream, data }),
    eof: () => out.json({ type: "eof", id, stream }),
  };
}

/** RFC 42 write in signed form. It names the matchtag of the exec on its rank, so that each rank has its own. */
export function signedSink(
  out: Outgoing,
  signatures: Signatures,
  call: Call,
  place: { id: number; ranks: readonly number[]; stream: string },
): InputSink {
  const { id, ranks, stream } = place;
  const topic = call.request.topic.replace(/[^.]*$/, "write");
  const failed = (error: FluxError) => call.input(stream).refuse(error);
  const write = (bytes: number, io: (rank: string) => object) => {
    for (const [index, rank] of ranks.entries()) {
      const payload = () => ({ matchtag: id + index, io: io(String(rank)) });
      const use = ({ signature }: { signature: string }) => {
        if (call.owes(rank)) out.json({ type: "write", id, rank, stream, bytes, signature });
      };
      signatures.sign(topic, payload, use, failed);
    }
  };
  return {
    limit: MAX_SIGNED_DATA,
    turn: (send) => out.turn(send),
    data: (data) => write(data.length, (rank) => ioObject(stream, rank, data)),
    eof: () => write(0, (rank) => ({ stream, rank, eof: true })),
  };
}
