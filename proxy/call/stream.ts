/** The part of a call that is a stream: the bound on its unread answers, and its cancellation. PROTOCOL.md, "Streams". */
import type { Request, Response } from "../../src/protocol/messages.js";
import type { Broker } from "../broker/broker.js";
import { encodePayload } from "../broker/payload.js";
import type { Outbox } from "../flow/outbox.js";
import { Unread } from "../flow/unread.js";
import type { FanOut } from "./fan-out.js";
import type { RankList } from "./ranks.js";
import { cancelTopic } from "./stream-cancel.js";

/** The call, and its way to the client. */
export interface StreamOptions {
  request: Request;
  ranks: RankList;
  fanOut: Pick<FanOut, "sent" | "nodeid">;
  outbox: Outbox;
}

/** A streaming request to a service that is no subprocess server. */
export class Stream {
  readonly #options: StreamOptions;
  readonly #unread: Unread;
  readonly #cancel: string | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#unread = new Unread(options.outbox);
    this.#cancel = cancelTopic(options.request.topic);
  }

  /** True if only the end of its connection ends the stream at the service. */
  get ownConnection(): boolean {
    return this.#cancel === undefined;
  }

  /** Sends the client an answer. @throws FluxError ENOBUFS, EMSGSIZE as {@link Unread.send} does */
  pass(response: Omit<Response, "seq">): void {
    this.#unread.send(response);
  }

  /** Cancels the stream of some ranks at the service. */
  cancel(broker: Broker | undefined, canceled: readonly number[]): void {
    const { ranks, fanOut } = this.#options;
    const topic = this.#cancel;
    if (topic === undefined || broker === undefined) return;
    for (const rank of canceled) {
      if (!fanOut.sent(rank)) continue;
      const payload = encodePayload({ matchtag: ranks.matchtag(rank) });
      broker.send({ topic, nodeid: fanOut.nodeid(rank), payload });
    }
  }
}
