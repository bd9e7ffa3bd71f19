/** An open session over a broker that runs, with a client that consumes when the test says so. */
import type { Identity } from "../../../../proxy/auth/identity.js";
import type { Broker } from "../../../../proxy/broker/broker.js";
import { BrokerConnection } from "../../../../proxy/broker/connection.js";
import { SendQueue } from "../../../../proxy/call/send-queue.js";
import { Brakes } from "../../../../proxy/flow/brakes.js";
import { Outbox } from "../../../../proxy/flow/outbox.js";
import { Scheduler } from "../../../../proxy/flow/scheduler.js";
import { HostNames } from "../../../../proxy/hosts/host-names.js";
import type { Liveness } from "../../../../proxy/liveness/liveness.js";
import { Allowances } from "../../../../proxy/session/allowances.js";
import { RequestTable } from "../../../../proxy/session/request-table.js";
import { Usage } from "../../../../proxy/usage.js";
import { Polls } from "../../../../proxy/watch/polls.js";
import { parseClientMessage } from "../../../../src/protocol/client-messages.js";
import { type DataFrame, decodeDataFrame } from "../../../../src/protocol/frame.js";
import type { Overflow, SequencedServerMessage } from "../../../../src/protocol/messages.js";
import { parseServerMessage } from "../../../../src/protocol/server-messages.js";
import type { Signer } from "../../../../src/signing/signer.js";
import { IDENTITY } from "../support/memory.js";

/** The output that was sent of an id. */
interface Output {
  pieces: Uint8Array[];
  bytes: number;
  /** The output that is not consumed, by stream. */
  unconsumed: Map<string, number>;
}

interface ExecOptions {
  label?: string;
  overflow?: Overflow;
  sign?: boolean;
  topic?: string;
  streaming?: boolean;
  payload?: object;
}

export interface OpenOptions {
  brakes?: Brakes;
  signer?: Signer;
  identity?: Identity;
  liveness?: Liveness;
}

export class OpenHarness {
  /** Messages but for output. */
  readonly messages: SequencedServerMessage[] = [];
  readonly faults: unknown[] = [];
  /** The bytes that wait. */
  waiting = 0;
  /** True if output is consumed as it comes. */
  consumes = true;
  readonly session: RequestTable;
  readonly outbox: Outbox;
  readonly #outputs = new Map<number, Output>();
  readonly #brokers = new Set<Broker>();
  #seq = 0;
  #received = 0;

  private constructor(
    broker: Broker,
    uri: string,
    { brakes = new Brakes(), signer, identity, liveness }: OpenOptions,
  ) {
    this.#brokers.add(broker);
    this.outbox = new Outbox({ replay: true, overrun: () => this.faults.push("overrun") });
    const { backlog } = this.outbox;
    const add = backlog.add.bind(backlog);
    backlog.add = (bytes) => {
      this.waiting += bytes;
      add(bytes);
    };
    const guard = (action: () => void) => {
      try {
        action();
      } catch (error) {
        this.faults.push(error);
      }
    };
    const usage = new Usage();
    const scheduler = new Scheduler();
    const lease = { identity: identity ?? IDENTITY };
    this.session = new RequestTable({
      lease,
      broker,
      brokerInfo: { rank: 0, size: 2, owner: 0 },
      hosts: new HostNames(undefined, 2),
      pool: { open: (connect, wanted = () => true) => this.#open(connect, wanted) },
      outbox: this.outbox,
      queue: new SendQueue(guard, () => {}),
      brakes,
      connectBroker: () => BrokerConnection.connect(uri),
      signer,
      usage,
      allowUnbufferedBackground: true,
      polls: new Polls({ connectBroker: () => BrokerConnection.connect(uri), usage, scheduler }),
      scheduler,
      liveness: liveness ?? { add: () => () => {} },
      allowance: new Allowances(1024).open("alice"),
      audit: undefined,
      guard,
    });
    this.resume();
  }

  /** The client has a socket, with which it goes on. */
  resume(): void {
    this.outbox.attach(
      {
        sendText: (text) => this.#take(parseServerMessage(text) as SequencedServerMessage),
        sendBinary: (bytes) => this.#take(decodeDataFrame(bytes)),
        bufferedAmount: 0,
      },
      this.#received,
    );
  }

  static async open(uri: string, options: OpenOptions = {}): Promise<OpenHarness> {
    return new OpenHarness(await BrokerConnection.connect(uri), uri, options);
  }

  send(message: object): void {
    this.session.message(parseClientMessage(JSON.stringify({ seq: ++this.#seq, ...message })) as never);
  }

  /** Asks rank 0 for a shell command in the foreground, whose output comes as it is read. */
  request(id: number, script: string, more: ExecOptions = {}): void {
    const { label, ...rest } = more;
    const opts = { stdout_LINE_BUFFER: "false" };
    const cmd = { cmdline: ["sh", "-c", script], env: {}, opts, channels: [], ...(label ? { label } : {}) };
    const payload = { cmd, flags: 3 };
    this.send({ type: "request", id, topic: "rexec.exec", nodeid: "0", streaming: true, payload, ...rest });
  }

  /** Runs it. @returns its pid */
  exec(...request: Parameters<OpenHarness["request"]>): Promise<number> {
    this.request(...request);
    return this.pid(request[0]);
  }

  /** Attaches to a process of rank 0, or is refused. */
  async attach(id: number, pid: number, overflow?: Overflow): Promise<void> {
    const payload = { pid, flags: 3 };
    const request = { type: "request", id, topic: "rexec.attach", nodeid: "0", streaming: true, payload };
    this.send({ ...request, ...(overflow === undefined ? {} : { overflow }) });
    await this.message(id, ({ type }) => type === "response" || type === "error");
  }

  /** The answer to a kill: 0, or an errno. */
  async kill(id: number, name: { pid: number; label?: string }, signum: number): Promise<number> {
    const payload = { ...name, signum };
    this.send({ type: "request", id, topic: "rexec.kill", nodeid: "0", streaming: false, payload });
    const answer = await this.message(id, ({ type }) => type === "response" || type === "error");
    return answer.type === "error" ? answer.errno : 0;
  }

  async pid(id: number): Promise<number> {
    const runs = (message: SequencedServerMessage) =>
      message.type === "response" && typeof message.payload["pid"] === "number";
    const message = await this.message(id, runs);
    return message.type === "response" ? (message.payload["pid"] as number) : 0;
  }

  /** The first message of a request that the test looks for. */
  async message(
    id: number,
    wanted: (message: SequencedServerMessage) => boolean,
  ): Promise<SequencedServerMessage> {
    for (let tries = 0; tries < 800; tries++) {
      const found = this.messages.find((message) => message.id === id && wanted(message));
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`no such message of ${id}: ${JSON.stringify(this.messages)} ${this.faults}`);
  }

  /** Its last message. */
  over(id: number): Promise<SequencedServerMessage> {
    return this.message(id, ({ type }) => type === "end" || type === "error");
  }

  /** The types of a process's responses, in order. */
  responseTypes(id: number): unknown[] {
    return this.messages.flatMap((message) =>
      message.id === id && message.type === "response" ? [message.payload["type"]] : [],
    );
  }

  output(id: number): Output {
    const output = this.#outputs.get(id) ?? { pieces: [], bytes: 0, unconsumed: new Map() };
    this.#outputs.set(id, output);
    return output;
  }

  text(id: number): string {
    return Buffer.concat(this.output(id).pieces).toString();
  }

  /** Consumes all output of an id from now on, present and future. */
  consume(id: number, rank = 0): void {
    this.consumes = true;
    const { unconsumed } = this.output(id);
    const parts = [...unconsumed];
    unconsumed.clear();
    for (const [stream, bytes] of parts) this.send({ type: "consumed", id, rank, stream, bytes });
  }

  close(): void {
    this.session.end();
    for (const broker of this.#brokers) broker.close();
  }

  async #open(connect: () => Promise<Broker>, wanted: () => boolean): Promise<Broker | undefined> {
    const broker = await connect();
    if (!wanted()) {
      broker.close();
      return undefined;
    }
    this.#brokers.add(broker);
    return broker;
  }

  #take(message: SequencedServerMessage | DataFrame): void {
    this.#received = message.seq;
    if (message.type !== "data") {
      this.messages.push(message);
    } else {
      const output = this.output(message.id);
      output.pieces.push(message.data);
      output.bytes += message.data.length;
      const { stream, data } = message;
      output.unconsumed.set(stream, (output.unconsumed.get(stream) ?? 0) + data.length);
    }
    if (message.seq % 64 === 0) queueMicrotask(() => this.outbox.ack(message.seq));
    if (message.type === "data" && this.consumes) {
      queueMicrotask(() => this.consumes && this.consume(message.id, message.rank));
    }
  }
}
