/** Input of an exec on its way to its processes: RFC 42 write, to each rank with the matchtag of its exec. */
import { FluxError } from "../../src/errors.js";
import { CLOSE, ProtocolError, type SignedWrite } from "../../src/protocol/messages.js";
import { type IoObject, ioObject } from "../../src/protocol/rfc42.js";
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Budget } from "../flow/budget.js";
import { readSignedWrite, SignedError } from "../policy/signed.js";
import type { Admitted } from "./admission.js";
import type { CallInput } from "./call-input.js";
import type { Lane } from "./lane.js";
import type { RankList, RankSet } from "./ranks.js";
import type { SendQueue } from "./send-queue.js";

export interface InputWriterOptions {
  id: number;
  admitted: Admitted;
  ranks: RankList;
  /** Those that are not over. */
  live: RankSet;
  input: CallInput;
  lane: Lane;
  /** What waits to be sent. */
  bytes: Pick<Budget, "take" | "give">;
  queue: SendQueue;
  nodeid(rank: number): number | undefined;
  /** Input went to a rank. */
  sent(broker: Broker, rank: number, stream: string, bytes: number): void;
  /** What the process gets from here on would have a hole in it. */
  fail(error: FluxError): void;
}

export class InputWriter {
  readonly #options: InputWriterOptions;
  #broker: Broker | undefined;

  constructor(options: InputWriterOptions) {
    this.#options = options;
  }

  /** Where the request goes, and its input after it. */
  start(broker: Broker): void {
    this.#broker = broker;
  }

  /** Input for every rank. @throws ProtocolError if the client signs, or there is no credit for it */
  data(stream: string, data: Uint8Array): void {
    this.#mustBe("plain");
    const { admitted, input, live } = this.#options;
    if (live.size === 0 || !input.take(stream, data.length)) return;
    admitted.watcher.sent(data.length);
    if (data.length > 0) this.#writeToAll(ioObject(stream, "", data), data.length);
  }

  /** The end of a stream, for every rank. @throws ProtocolError if the client signs, or the stream has ended before */
  eof(stream: string): void {
    this.#mustBe("plain");
    if (this.#options.live.size === 0 || !this.#options.input.end(stream)) return;
    this.#writeToAll({ stream, eof: true }, 0);
  }

  /** Input for one rank that the client has signed. @throws ProtocolError as `data`, or if it is not what it says */
  signed({ rank, stream, bytes, signature }: SignedWrite, matchtag: number): void {
    this.#mustBe("signed");
    const { admitted, input, live } = this.#options;
    if (!live.has(rank)) return;
    const signed = this.#read(signature, matchtag, stream);
    if (signed.bytes !== bytes) throw malformed("write has another number of bytes than it says");
    if (!input.take(stream, bytes, rank)) return;
    if (signed.eof && !input.end(stream, rank)) return;
    admitted.watcher.sent(bytes);
    this.#write(rank, stream, bytes, { signature });
  }

  #mustBe(what: "plain" | "signed"): void {
    const bySignature = this.#options.admitted.asked.signer !== undefined;
    if ((what === "signed") === bySignature) return;
    throw malformed(`request ${this.#options.id} is ${bySignature ? "" : "not "}signed by the client`);
  }

  #read(signature: string, matchtag: number, stream: string): { bytes: number; eof: boolean } {
    const userid = this.#options.admitted.asked.signer as number;
    try {
      return readSignedWrite(signature, { topic: this.#topic, userid, matchtag, stream });
    } catch (cause) {
      if (!(cause instanceof SignedError)) throw cause;
      throw malformed(`write: ${cause.message}`);
    }
  }

  /** @param size of the data in `io`, which is kept once for all ranks */
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
   * @param size of the data in `payload`
   * @param done called once it was sent, or will not be
   * @param encoded the payload as it is sent, if it need not be signed and encoding it again would cost much
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
        // A rank that is over, meanwhile too, has no process that would read it.
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
    return `${this.#options.admitted.asked.service}.write`;
  }
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(CLOSE.malformed, what);
}
