/** Sends the input of an exec to its processes: RFC 42 write, to each rank with the matchtag of its exec. */
import { FluxError } from "../../src/errors.js";
import type { SignedWrite } from "../../src/protocol/messages.js";
import { malformed } from "../../src/protocol/protocol-error.js";
import { type IoObject, ioObject } from "../../src/protocol/rfc42.js";
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Budget } from "../flow/budget.js";
import { readSignedWrite, SignedError } from "../policy/signed.js";
import type { AdmittedRequest } from "./admission.js";
import type { CallInput } from "./call-input.js";
import type { Lane } from "./lane.js";
import type { RankList, RankView } from "./ranks.js";
import type { SendQueue } from "./send-queue.js";

/** The exec, and the way to its ranks. */
export interface InputSenderOptions {
  id: number;
  admitted: AdmittedRequest;
  ranks: RankList;
  /** Ranks that are not over. */
  live: RankView;
  input: CallInput;
  lane: Lane;
  /** The bytes that wait to be sent to the broker. */
  bytes: Pick<Budget, "take" | "give">;
  queue: SendQueue;
  /** The rank that a write to `rank` is addressed to; undefined for any. */
  nodeid(rank: number): number | undefined;
  /** A rank was sent input. */
  sent(broker: Broker, rank: number, stream: string, bytes: number): void;
  /** Input is lost: later input would have a gap before it. */
  fail(error: FluxError): void;
}

/** The input of one exec. */
export class InputSender {
  readonly #options: InputSenderOptions;
  /** Undefined until the request is sent. */
  #broker: Broker | undefined;

  constructor(options: InputSenderOptions) {
    this.#options = options;
  }

  /** The request and its input go over this connection. */
  start(broker: Broker): void {
    this.#broker = broker;
  }

  /** Input for every rank. @throws ProtocolError if the client signs input, or has no credit for it */
  data(stream: string, data: Uint8Array): void {
    this.#mustBe("plain");
    const { admitted, input, live } = this.#options;
    if (live.size === 0 || !input.take(stream, data.length)) return;
    admitted.monitor.sent(data.length);
    if (data.length > 0) this.#writeToAll(ioObject(stream, "", data), data.length);
  }

  /** The end of a stream, for every rank. @throws ProtocolError if the client signs input, or the stream has ended */
  eof(stream: string): void {
    this.#mustBe("plain");
    if (this.#options.live.size === 0 || !this.#options.input.end(stream)) return;
    this.#writeToAll({ stream, eof: true }, 0);
  }

  /** Input for one rank, signed by the client. @throws ProtocolError as {@link data}, or if the signature has other input */
  signed({ rank, stream, bytes, signature }: SignedWrite, matchtag: number): void {
    this.#mustBe("signed");
    const { admitted, input, live } = this.#options;
    if (!live.has(rank)) return;
    const signed = this.#read(signature, matchtag, stream);
    if (signed.bytes !== bytes) throw malformed("write has another number of bytes than it says");
    if (!input.take(stream, bytes, rank)) return;
    if (signed.eof && !input.end(stream, rank)) return;
    admitted.monitor.sent(bytes);
    this.#write(rank, stream, bytes, { signature });
  }

  #mustBe(form: "plain" | "signed"): void {
    const bySignature = this.#options.admitted.parsed.signer !== undefined;
    if ((form === "signed") === bySignature) return;
    throw malformed(`request ${this.#options.id} is ${bySignature ? "" : "not "}signed by the client`);
  }

  #read(signature: string, matchtag: number, stream: string): { bytes: number; eof: boolean } {
    const userid = this.#options.admitted.parsed.signer as number;
    try {
      return readSignedWrite(signature, { topic: this.#topic, userid, matchtag, stream });
    } catch (cause) {
      if (!(cause instanceof SignedError)) throw cause;
      throw malformed(`write: ${cause.message}`);
    }
  }

  /** @param size of the data in `io`, in bytes; the data is in memory once for all ranks */
  #writeToAll({ rank: _, ...io }: Partial<IoObject>, size: number): void {
    const { admitted, ranks, live, lane, bytes, queue, fail } = this.#options;
    if (this.#broker === undefined || live.size === 0) return;
    const refusal = bytes.take(size);
    if (refusal !== undefined) {
      fail(new FluxError("ENOBUFS", refusal));
      return;
    }
    queue.hold(size);
    const rest =
      admitted.signer === undefined ? Buffer.from(`,${JSON.stringify(io).slice(1)}}\0`) : undefined;
    lane.push({
      bytes: size,
      to: live,
      send: (rank, sent) => {
        const { stream } = io as { stream: string };
        const matchtag = ranks.matchtag(rank);
        const head = () => Buffer.from(`{"matchtag":${matchtag},"io":{"rank":"${rank}"`);
        const encoded = rest && (() => Buffer.concat([head(), rest]));
        this.#write(rank, stream, size, { matchtag, io: { ...io, rank: String(rank) } }, sent, encoded);
      },
      done: () => {
        bytes.give(size);
        queue.release(size);
      },
    });
  }

  /**
   * @param size of the data in `payload`, in bytes
   * @param done called when the write was sent, or is given up
   * @param encoded the payload as bytes, if it need not be signed and is costly to encode for each rank
   */
  #write(
    rank: number,
    stream: string,
    size: number,
    payload: JsonObject,
    done = () => {},
    encoded?: () => Uint8Array,
  ): void {
    const broker = this.#broker;
    if (broker === undefined) return;
    const { admitted, live, queue, nodeid, sent, fail } = this.#options;
    const topic = this.#topic;
    queue.push({
      topic,
      payload,
      encoded,
      signer: admitted.signer,
      send: (bytes) => {
        // A rank may be over by now: no process would read the input.
        if (live.has(rank)) {
          broker.send({ topic, nodeid: nodeid(rank), payload: bytes });
          sent(broker, rank, stream, size);
        }
        done();
      },
      refuse: (error) => {
        fail(error);
        done();
      },
    });
  }

  get #topic(): string {
    return `${this.#options.admitted.parsed.service}.write`;
  }
}
