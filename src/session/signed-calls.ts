/** Requests that the client signs, in order although signing takes time: RFC 42 Request Authentication. */
import { because, FluxError } from "../errors.js";
import type { Response, SequencedServerMessage } from "../protocol/messages.js";
import { ioObject } from "../protocol/rfc42.js";
import { SIGNUM } from "../protocol/signals.js";
import { type Signer, signedPayload } from "../signing/signer.js";
import type { Call, CallSigner } from "./call.js";
import type { InputSink } from "./input.js";
import type { Outgoing } from "./outgoing.js";

/**
 * A byte may become six characters of JSON, and those eight of base64, which must fit into one message.
 * (PROTOCOL.md: a message to the proxy is at most 1 MiB.)
 */
const MAX_SIGNED_DATA = 64 * 1024;

/** A {@link Signer} that `connect()` takes. */
export interface ClientSigner extends Signer {
  /** @internal What a session needs of it, so that who signs nothing does not carry that. */
  calls(out: Outgoing, userid: number): CallSigner;
}

/** Makes any signer one that `connect()` takes. What `curveSigner` and `noneSigner` give is one already. */
export function clientSigner(signer: Signer): ClientSigner {
  return {
    mechanism: signer.mechanism,
    userid: signer.userid,
    sign: (payload, now) => signer.sign(payload, now),
    calls(out, userid) {
      return new SignedCalls(this, out, userid);
    },
  };
}

class SignedCalls implements CallSigner {
  readonly #signer: Signer;
  readonly #out: Outgoing;
  readonly #userid: number;
  /** What the proxy's clock is ahead of ours: Flux refuses what was signed in its future. */
  #ahead = 0;
  #queue: Promise<void> = Promise.resolve();

  constructor(signer: Signer, out: Outgoing, userid: number) {
    this.#signer = signer;
    this.#out = out;
    this.#userid = userid;
  }

  welcomed(time: number): void {
    this.#ahead = time - performance.now();
  }

  send(call: Call, ranks: readonly number[], id: number, failed: (error: FluxError) => void): void {
    const { userid } = this.#signer;
    if (userid !== this.#userid) {
      throw new FluxError("EPERM", `the signer is of user ${userid}, the token of ${this.#userid}`);
    }
    const { sign: _, payload, ...request } = call.request;
    const watched = request.streaming && request.topic.endsWith(".list");
    const use = (signed: object) => {
      if (call.over) throw new FluxError("ECANCELED");
      // The proxy answers a watch itself: only the list that it asks the ranks for is signed.
      this.#out.json({
        type: "request",
        id,
        ...request,
        payload: watched ? { ...payload, ...signed } : signed,
      });
      call.signer = this;
      call.sent(ranks, id, (stream) => this.#sink(call, ranks, id, stream));
    };
    this.#sign(request.topic, () => (watched ? {} : payload), use, failed);
  }

  answered(call: Call, message: SequencedServerMessage): void {
    if (message.type === "stale") this.#renew(call, message.id);
    else if (message.type === "response") this.#brake(call, message);
  }

  /** Signs the list of a watch once more. Without a signature the watch would go on for ever with nothing to show. */
  #renew(call: Call, id: number): void {
    const use = ({ signature }: { signature: string }) => {
      if (!call.over) this.#out.json({ type: "fresh", id, signature });
    };
    const failed = (error: FluxError) => {
      if (!call.over) this.#out.json({ type: "detach", id });
      call.fail(error);
    };
    this.#sign(call.request.topic, () => ({}), use, failed);
  }

  /** Hands the proxy what stops the process and lets it go on: it cannot sign that. PROTOCOL.md, "Flow control". */
  #brake(call: Call, { id, rank, payload }: Response): void {
    const { type, pid } = payload;
    const { topic, overflow = type === "started" && "stop" } = call.request;
    if ((type !== "started" && type !== "attached") || overflow !== "stop") return;
    const signatures: string[] = [];
    const use = ({ signature }: { signature: string }) => {
      const [stop] = signatures;
      if (stop === undefined) signatures.push(signature);
      else if (call.owes(rank)) this.#out.json({ type: "brake", id, rank, stop, cont: signature });
    };
    // Without them the process cannot be stopped, and its output may have gaps, which are told.
    const failed = () => {};
    for (const signum of [SIGNUM.SIGSTOP, SIGNUM.SIGCONT]) {
      this.#sign(topicOf(topic, "kill"), () => ({ pid, signum }), use, failed);
    }
  }

  /** RFC 42 write in signed form. It names the matchtag of the exec on its rank, so that each rank has its own. */
  #sink(call: Call, ranks: readonly number[], id: number, stream: string): InputSink {
    const topic = topicOf(call.request.topic, "write");
    const failed = (error: FluxError) => call.input(stream).refuse(error, Number.POSITIVE_INFINITY);
    const write = (bytes: number, io: (rank: string) => object) => {
      for (const [index, rank] of ranks.entries()) {
        const payload = () => ({ matchtag: id + index, io: io(String(rank)) });
        const use = ({ signature }: { signature: string }) => {
          if (call.owes(rank)) this.#out.json({ type: "write", id, rank, stream, bytes, signature });
        };
        this.#sign(topic, payload, use, failed);
      }
    };
    return {
      limit: MAX_SIGNED_DATA,
      turn: (send) => this.#out.turn(send),
      data: (data) => write(data.length, (rank) => ioObject(stream, rank, data)),
      eof: () => write(0, (rank) => ({ stream, rank, eof: true })),
    };
  }

  /**
   * Signs and then hands over, after all that was asked for before.
   * @param failed is told why it could not be signed, or what `use` threw
   */
  #sign(
    topic: string,
    payload: () => object,
    use: (signed: { signature: string }) => void,
    failed: (error: FluxError) => void,
  ): void {
    this.#queue = this.#queue.then(async () => {
      try {
        use(await signedPayload(this.#signer, topic, payload(), this.#ahead + performance.now()));
      } catch (cause) {
        failed(
          cause instanceof FluxError
            ? cause
            : new FluxError("EPERM", `it could not be signed${because(cause)}`, { topic, cause }),
        );
      }
    });
  }
}

/** The topic of another method of the same service. */
function topicOf(topic: string, method: string): string {
  return topic.replace(/[^.]*$/, method);
}
