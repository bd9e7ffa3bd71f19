/** One session of a handle: the requests that were sent in it. */
import { FluxError } from "../errors.js";
import { ALL_RANKS, type DataFrame } from "../protocol/frame.js";
import { MAX_DATA, ranksOf, type SequencedServerMessage } from "../protocol/messages.js";
import { CLOSE, ProtocolError } from "../protocol/protocol-error.js";
import type { CallSigner, ClientCall } from "./client-call.js";
import { ConsumedReports } from "./consumed-reports.js";
import { deliver } from "./consumption.js";
import type { Ids } from "./ids.js";
import type { InputSink } from "./input-queue.js";
import type { Outgoing } from "./outgoing.js";
import type { Status } from "./status.js";

/** Sends requests in a session, and delivers their messages. */
export class Session {
  /** The calls that were sent or are being signed, by their first id. */
  readonly calls = new Map<number, ClientCall>();
  /** Set from the first welcome on, if the client signs. */
  signing: CallSigner | undefined;
  readonly #out: Outgoing;
  readonly #consumed: ConsumedReports;

  /** @param out takes the messages of this session, and of no other */
  constructor(out: Outgoing) {
    this.#out = out;
    this.#consumed = new ConsumedReports(out, (id, rank) => this.calls.get(id)?.owes(rank) ?? false);
  }

  /** Sends a request, or signs it first. */
  send(call: ClientCall, ids: Ids, { rank, size, owner, userid }: Status & { state: "open" }): void {
    const { sign = owner !== userid } = call.request;
    try {
      const ranks = ranksOf(call.nodeid, rank, size);
      const id = ids.claim(ranks.length, this.calls);
      call.ids = ranks.length;
      if (sign && this.signing) {
        this.signing.send(call, ranks, id, (error) => {
          if (this.calls.delete(id)) call.fail(error);
        });
      } else {
        // JSON drops an undefined field.
        this.#out.json({ type: "request", id, ...call.message, sign: sign || undefined });
        call.sent(ranks, id, (stream) => plainSink(this.#out, id, stream));
      }
      this.calls.set(id, call);
    } catch (cause) {
      call.fail(cause instanceof FluxError ? cause : new FluxError("EINVAL", String(cause), { cause }));
    }
  }

  /** Takes a message, in sequence. @throws ProtocolError */
  deliver(message: SequencedServerMessage | DataFrame): void {
    const call = this.calls.get(message.id);
    if (call === undefined) {
      throw new ProtocolError(CLOSE.malformed, `request ${message.id} is not under way`);
    }
    if (message.type === "data") {
      deliver(
        () => call.receive(message),
        () => this.#consumed.add(message),
      );
      return;
    }
    if (call.receive(message)) this.calls.delete(message.id);
    call.signer?.answered(call, message);
  }

  /** Sends and delivers no more. @returns the calls of the session; one without an id was not sent */
  end(): ClientCall[] {
    this.#consumed.end();
    this.signing?.end();
    const calls = [...this.calls.values()];
    this.calls.clear();
    return calls;
  }
}

function plainSink(out: Outgoing, id: number, stream: string): InputSink {
  return {
    limit: MAX_DATA,
    turn: (send) => out.turn(send),
    data: (data) => out.data({ id, rank: ALL_RANKS, stream, data }),
    eof: () => out.json({ type: "eof", id, stream }),
  };
}
