/** A reader of server-sent events over HTTP that can read slowly and go away. */
import { get, type IncomingMessage } from "node:http";

export interface ServerSentEvent {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: any JSON; the tests check it
  data: any;
}

export class SseReader {
  readonly #response: IncomingMessage;
  readonly #events: AsyncGenerator<ServerSentEvent>;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.#events = parse(response);
  }

  static open(url: string | URL): Promise<SseReader> {
    return new Promise((resolve, reject) => {
      get(url, { agent: false }, (response) => {
        if (response.statusCode === 200) resolve(new SseReader(response));
        else reject(new Error(`HTTP status ${response.statusCode}`));
      }).on("error", reject);
    });
  }

  /** Reads the next event. Between calls the reader takes no more than the sockets' buffers hold. */
  async next(): Promise<ServerSentEvent> {
    const { done, value } = await this.#events.next();
    if (done) throw new Error("the stream has ended");
    return value;
  }

  /** All events until the end. */
  async rest(): Promise<ServerSentEvent[]> {
    const events: ServerSentEvent[] = [];
    for await (const event of this.#events) events.push(event);
    return events;
  }

  close(): void {
    this.#response.destroy();
  }
}

async function* parse(chunks: AsyncIterable<Buffer>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() as string;
    for (const block of blocks) if (block !== ":") yield parseBlock(block);
  }
  if (text !== "") throw new Error(`the stream has ended within an event: ${text}`);
}

export function parseBlock(block: string): ServerSentEvent {
  const [, event, data] = /^id: \d+\nevent: (\w+)\ndata: (.*)$/.exec(block) ?? [];
  if (event === undefined || data === undefined) throw new Error(`not an event: ${block}`);
  return { event, data: JSON.parse(data) };
}
