/** Requests that the client signs, in order although signing takes time: RFC 42 Request Authentication. */
import { because, FluxError } from "../errors.js";
import type { Response, SequencedServerMessage } from "../protocol/messages.js";
import { ioObject } from "../protocol/rfc42.js";
import { SIGNUM } from "../protocol/signals.js";
import { type Signer, signedPayload } from "../signing/signer.js";
import type { CallSigner, ClientCall } from "./client-call.js";
import type { InputSink } from "./input-queue.js";
import type { Outgoing } from "./outgoing.js";

/** A byte may be six characters of JSON, and these eight of base64. All must fit into one message of at most 1 MiB (PROTOCOL.md). */
const MAX_SIGNED_DATA = 64 * 1024;

/** Types only: no other module can name it, so only {@link clientSigner} makes a {@link ClientSigner}. */
declare const brand: unique symbol;

/** A {@link Signer} that {@link connect} takes: made by {@link clientSigner}, {@link curveSigner} or {@link noneSigner}. */
export interface ClientSigner extends Signer {
  /** @hidden */
  readonly [brand]: true;
  /**
   * Signs the calls of a session. Here, so that a bundle without signers does not have that code.
   * @internal
   */
  calls(out: Outgoing, userid: number): CallSigner;
}

/**
 * Makes a signer for {@link connect} from any RFC 39 signer.
 *
 * @param signer signs payloads of one user
 *
 * @example
 * ```ts
 * const remote = {
 *   mechanism: "none",
 *   userid,
 *   // Ask a key service for the signature here.
 *   sign: (payload: string) => noneSigner(userid).sign(payload),
 * };
 * const flux = connect(url, { token, signer: clientSigner(remote) });
 * const { stdout } = await spawn(flux, ["echo", "signed"], { service, sign: true }).output();
 * console.log(new TextDecoder().decode(stdout).trim()); // signed
 * flux.close();
 * ```
 */
export function clientSigner(signer: Signer): ClientSigner {
  const unbranded: Omit<ClientSigner, typeof brand> = {
    mechanism: signer.mechanism,
    userid: signer.userid,
    sign: (payload, now) => signer.sign(payload, now),
    calls(out, userid) {
      return new SignedCalls(this, out, userid);
    },
  };
  return unbranded as ClientSigner;
}

class SignedCalls implements CallSigner {
  readonly #signer: Signer;
  readonly #out: Outgoing;
  readonly #userid: number;
  /** Milliseconds from `performance.now()` to the proxy's clock: Flux refuses a signature from its future. */
  #ahead = 0;
  /** True after the session: a call that was not sent in it waits for the next one. */
  #over = false;
  /** The last signature: the next one waits for it, which keeps the order. */
  #queue: Promise<void> = Promise.resolve();

  constructor(signer: Signer, out: Outgoing, userid: number) {
    this.#signer = signer;
    this.#out = out;
    this.#userid = userid;
  }

  welcomed(time: number): void {
    this.#ahead = time - performance.now();
  }

  end(): void {
    this.#over = true;
  }

  send(call: ClientCall, ranks: readonly number[], id: number, failed: (error: FluxError) => void): void {
    const { userid } = this.#signer;
    if (userid !== this.#userid) {
      throw new FluxError("EPERM", `the signer is of user ${userid}, the token of ${this.#userid}`);
    }
    const { payload, ...request } = call.message;
    const watched = request.streaming && request.topic.endsWith(".list");
    const use = (signed: object) => {
      if (this.#over) return;
      if (call.over) throw new FluxError("ECANCELED");
      // The proxy answers a watch itself. Only its list requests to the ranks are signed.
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

  answered(call: ClientCall, message: SequencedServerMessage): void {
    if (message.type === "stale") this.#renew(call, message.id);
    else if (message.type === "response") this.#brake(call, message);
  }

  /** Signs the list of a watch again, or ends the watch, which would otherwise stay open without an answer. */
  #renew(call: ClientCall, id: number): void {
    const use = ({ signature }: { signature: string }) => {
      if (!call.over) this.#out.json({ type: "fresh", id, signature });
    };
    const failed = (error: FluxError) => {
      if (!call.over) this.#out.json({ type: "detach", id });
      call.fail(error);
    };
    this.#sign(call.request.topic, () => ({}), use, failed);
  }

  /** Signs the signals that stop and continue the process, since the proxy cannot. PROTOCOL.md, "Flow control". */
  #brake(call: ClientCall, { id, rank, payload }: Response): void {
    const { type, pid } = payload;
    const { topic, overflow = type === "started" && "stop" } = call.request;
    if ((type !== "started" && type !== "attached") || overflow !== "stop") return;
    const signatures: string[] = [];
    const use = ({ signature }: { signature: string }) => {
      const [stop] = signatures;
      if (stop === undefined) signatures.push(signature);
      else if (call.owes(rank)) this.#out.json({ type: "brake", id, rank, stop, cont: signature });
    };
    // Without them the proxy cannot stop the process. Its output may then have gaps, which are events.
    const failed = () => {};
    for (const signum of [SIGNUM.SIGSTOP, SIGNUM.SIGCONT]) {
      this.#sign(siblingTopic(topic, "kill"), () => ({ pid, signum }), use, failed);
    }
  }

  /** RFC 42 write in signed form: one for each rank, since it has the matchtag of the exec on that rank. */
  #sink(call: ClientCall, ranks: readonly number[], id: number, stream: string): InputSink {
    const topic = siblingTopic(call.request.topic, "write");
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
   * Signs a payload after all earlier ones, then calls `use`.
   * @param failed receives the error of the signer, or of `use`
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
            : new FluxError("EPERM", `the request could not be signed${because(cause)}`, { topic, cause }),
        );
      }
    });
  }
}

/** The topic of another method of the same service: `siblingTopic("rexec.exec", "kill")` is "rexec.kill". */
function siblingTopic(topic: string, method: string): string {
  return topic.replace(/[^.]*$/, method);
}
