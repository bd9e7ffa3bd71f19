/** Every recorded conversation with a real broker, held again with the embedded one: the answers are the same bytes. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { encodeFrame, FrameDecoder } from "../../../proxy/wire/framing.js";
import {
  FLAG,
  type Message,
  NODEID_ANY,
  type RequestMessage,
  type ResponseMessage,
  USERID_UNKNOWN,
} from "../../../proxy/wire/message.js";
import { eventually, payloadText, WireClient } from "./client.js";

const DIRECTORY = new URL("../../vectors/transcripts/", import.meta.url);

interface Frame {
  from: "client" | "broker";
  what?: string;
  base64?: string;
}

const encoder = new TextEncoder();

/** The last request. All earlier responses of the broker come before its response. */
const LAST_WORD: RequestMessage = {
  type: "request",
  flags: FLAG.topic | FLAG.route,
  userid: USERID_UNKNOWN,
  rolemask: 0,
  routes: [],
  topic: "attr.list",
  nodeid: NODEID_ANY,
  matchtag: 0xffff,
};

function messageOf(frame: Frame): Message | undefined {
  if (frame.base64 === undefined || frame.what !== undefined) return undefined;
  const [message] = new FrameDecoder().push(Buffer.from(frame.base64, "base64"));
  return message;
}

/** A conversation under way. Pids of the recording are learned to be pids of today. */
class Replay {
  readonly #pids = new Map<number, number>();
  readonly #expected: ResponseMessage[] = [];
  #client: WireClient | undefined;

  constructor(
    readonly name: string,
    readonly frames: readonly Frame[],
    readonly broker: EmbeddedBroker,
  ) {}

  async run(): Promise<void> {
    this.#client = await WireClient.connect(this.broker.uri);
    for (const [i, frame] of this.frames.entries()) {
      const message = messageOf(frame);
      if (frame.what === "socket closed") {
        await this.#check();
        this.#client.close();
        this.#client = await WireClient.connect(this.broker.uri);
      } else if (message?.type === "response") {
        this.#expected.push(message);
      } else if (message?.type === "request") {
        await this.#caughtUp();
        if (message.topic === "rexec.list") await this.#listed(message, i);
        if (message.topic === "rexec.attach" && this.name === "attach-zombie.json")
          await this.#ended(message);
        this.#client.send(this.#today(message));
      }
    }
    await this.#check();
    this.#client.close();
  }

  /** Until all that the recorded client had received when it went on has come here too. */
  async #caughtUp(): Promise<void> {
    const client = this.#client as WireClient;
    const count = (messages: ResponseMessage[], tag: number) =>
      messages.filter((m) => m.matchtag === tag).length;
    for (const { matchtag } of this.#expected) {
      await client.until(() => count(client.responses, matchtag) >= count(this.#expected, matchtag));
    }
    for (const expected of this.#expected) this.#learn(expected);
  }

  #learn(expected: ResponseMessage): void {
    const started = /^\{"type":"started","pid":(\d+)\}$/;
    const then = started.exec(payloadText(expected))?.[1];
    const now = this.#client?.responses
      .filter(({ matchtag }) => matchtag === expected.matchtag)
      .map((response) => started.exec(payloadText(response))?.[1])
      .find((pid) => pid !== undefined);
    if (then !== undefined && now !== undefined) this.#pids.set(Number(then), Number(now));
  }

  /** The recorded client paused before some lists, for a process to end: until the list is what it saw. */
  async #listed(request: RequestMessage, at: number): Promise<void> {
    const answers = this.frames.slice(at).map(messageOf);
    const answer = answers.find(
      (m) => m?.type === "response" && m.matchtag === request.matchtag,
    ) as ResponseMessage;
    const current = payloadText(this.#current(answer));
    if (answer.errnum === 0) await this.#untilList(request.nodeid, (list) => list === current);
  }

  /** It paused there too. */
  async #ended({ nodeid }: RequestMessage): Promise<void> {
    await this.#untilList(nodeid, (list) => !list.includes('"state":"R"'));
  }

  async #untilList(nodeid: number, test: (list: string) => boolean): Promise<void> {
    const aside = await WireClient.connect(this.broker.uri);
    await eventually(async () => test(payloadText(await aside.rpc("rexec.list", {}, { nodeid }))));
    aside.close();
  }

  #today<M extends Message>(message: M): M {
    if (!message.payload) return message;
    const text = new TextDecoder()
      .decode(message.payload)
      .replace(/(?<="pid":)\d+/g, (pid) => String(this.#pids.get(Number(pid)) ?? pid));
    return { ...message, payload: encoder.encode(text) };
  }

  /** A recorded response as this broker should give it: its pids, its directory, its user. */
  #current(message: ResponseMessage): ResponseMessage {
    const response = { ...this.#today(message), userid: process.getuid?.() ?? 0 };
    if (!response.payload) return response;
    const text = new TextDecoder()
      .decode(response.payload)
      .replaceAll("/run/flux/broker", dirname(this.broker.uri.replace("local://", "")))
      // the third that attr-get.json asks for is security.owner, which was root's
      .replace(/^\{"value":"0"/, (same) =>
        message.topic === "attr.get" && message.matchtag === 3 ? `{"value":"${response.userid}"` : same,
      )
      // a process that an earlier recording on the same broker left behind
      .replace(/\{"pid":\d+,"cmd":"sh","label":"att","state":"Z"\},/, "");
    return { ...response, payload: encoder.encode(text) };
  }

  /** Compares what has come with what was recorded; more than was recorded is as wrong as less. */
  async #check(): Promise<void> {
    const client = this.#client as WireClient;
    await this.#caughtUp();
    client.send(LAST_WORD);
    await client.first(({ matchtag }) => matchtag === LAST_WORD.matchtag);
    const received = client.responses.filter(({ matchtag }) => matchtag !== LAST_WORD.matchtag);
    expect(byKind(received)).toEqual(byKind(this.#expected.map((message) => this.#current(message))));
    expect(ends(received)).toEqual(ends(this.#expected.map((message) => this.#current(message))));
    this.#expected.length = 0;
  }
}

/**
 * The frames of each request, in order among those of one kind and stream. Between streams, and between output and
 * the end of the process, the order varies from run to run with a real broker too.
 */
function byKind(responses: ResponseMessage[]): Record<string, string[]> {
  const kinds: Record<string, string[]> = {};
  for (const response of responses) {
    const text = payloadText(response);
    const kind = /"type":"([a-z-]+)"/.exec(text)?.[1] ?? String(response.errnum);
    const stream = /"stream":"(\w+)"/.exec(text)?.[1] ?? /"channels":\{"(\w+)":/.exec(text)?.[1] ?? "";
    const key = `${response.matchtag} ${kind} ${text.includes('"output":[') ? "" : stream}`;
    kinds[key] ??= [];
    kinds[key].push(readable(response));
  }
  return kinds;
}

/** The first and last parts of each request's responses. */
function ends(responses: ResponseMessage[]): Record<string, unknown> {
  const tags = [...new Set(responses.map(({ matchtag }) => matchtag))];
  return Object.fromEntries(
    tags.map((tag) => {
      const own = responses.filter(({ matchtag }) => matchtag === tag).map(readable);
      const last = own.at(-1) ?? "";
      return [tag, [own[0], last.includes("ERR 61") || own.length === 1 ? last : "open"]];
    }),
  );
}

/** All the bytes of a frame, with its payload legible. The streams in a wait response have no order among them. */
function readable(response: ResponseMessage): string {
  const text = payloadText(response).replace(/(?<="output":\[).*(?=\])/, (objects) =>
    objects
      .split(/(?<=\}),/)
      .sort()
      .join(),
  );
  const payload = response.payload && encoder.encode(`${text}\0`);
  return `ERR ${response.errnum} ${text} ${Buffer.from(encodeFrame({ ...response, payload })).toString("base64")}`;
}

describe("recorded conversations", () => {
  let broker: EmbeddedBroker;
  beforeEach(async () => {
    broker = await startEmbeddedBroker({ size: 4 });
  });
  afterEach(() => broker.close());

  const names = readdirSync(DIRECTORY).filter((name) => name.endsWith(".json"));

  it("are all here", () => {
    expect(names).toHaveLength(20);
  });

  it.each(names)("%s", { timeout: 30_000 }, async (name) => {
    const { frames } = JSON.parse(readFileSync(new URL(name, DIRECTORY), "utf8")) as { frames: Frame[] };
    await new Replay(name, frames, broker).run();
  });
});
