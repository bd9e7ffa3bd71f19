/** Input of an exec on its way to its processes: RFC 42 write, to each rank with the matchtag of its exec. */
import type { FluxError } from "../../src/errors.js";
import { CLOSE, ProtocolError, type SignedWrite } from "../../src/protocol/messages.js";
import { ioObject } from "../../src/protocol/rfc42.js";
import type { Broker } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import { readSignedWrite, SignedError } from "../policy/signed.js";
import type { Admitted } from "./admission.js";
import type { CallInput } from "./call-input.js";
import type { SendQueue } from "./send-queue.js";

export interface InputWriterOptions {
  id: number;
  admitted: Admitted;
  /** By rank. */
  matchtags: ReadonlyMap<number, number>;
  /** Ranks that are not over. */
  live: ReadonlySet<number>;
  input: CallInput;
  queue: SendQueue;
  nodeid(rank: number): number | undefined;
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
    if (data.length > 0) this.#writeToAll(ioObject(stream, "", data));
  }

  /** The end of a stream, for every rank. @throws ProtocolError if the client signs, or the stream has ended before */
  eof(stream: string): void {
    this.#mustBe("plain");
    if (this.#options.live.size === 0 || !this.#options.input.end(stream)) return;
    this.#writeToAll({ stream, eof: true });
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
    this.#write(rank, { signature });
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

  #writeToAll(io: object): void {
    const { live, matchtags } = this.#options;
    for (const rank of live) {
      this.#write(rank, { matchtag: matchtags.get(rank), io: { ...io, rank: String(rank) } });
    }
  }

  #write(rank: number, payload: JsonObject): void {
    const broker = this.#broker;
    if (broker === undefined) return;
    const { admitted, live, queue, nodeid, fail } = this.#options;
    const topic = this.#topic;
    queue.push({
      topic,
      payload,
      signer: admitted.signer,
      send: (bytes) => {
        // A rank that is over, meanwhile too, has no process that would read it.
        if (live.has(rank)) broker.send({ topic, nodeid: nodeid(rank), payload: bytes });
      },
      refuse: fail,
    });
  }

  get #topic(): string {
    return `${this.#options.admitted.asked.service}.write`;
  }
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(CLOSE.malformed, what);
}
