/** One request and its answers. */
import { FLAG, type RequestMessage, type ResponseMessage } from "../wire/message.js";
import type { Connection } from "./connection.js";
import { type Credential, OWNER, requestCredential, responseCredential } from "./credential.js";
import { jsonPayload, textPayload } from "./json.js";

/** A request that has arrived at a rank, and the way back to its sender. */
export class Request {
  /** The credential of its sender. */
  readonly credential: Credential;
  readonly #message: RequestMessage;

  /**
   * @param connection the connection of its sender
   * @param rank the rank that answers
   * @param server the user that the service runs as
   */
  constructor(
    message: RequestMessage,
    readonly connection: Connection,
    readonly rank: number,
    readonly server = OWNER,
  ) {
    this.#message = message;
    this.credential = requestCredential(message, { local: rank === connection.rank });
  }

  get topic(): string {
    return this.#message.topic ?? "";
  }

  get payload(): Uint8Array | undefined {
    return this.#message.payload;
  }

  get matchtag(): number {
    return this.#message.matchtag;
  }

  get streaming(): boolean {
    return (this.#message.flags & FLAG.streaming) !== 0;
  }

  /** Answers with a JSON object, or without a payload. */
  respond(body?: object): void {
    this.#send(0, body && jsonPayload(body));
  }

  /** Answers with an error, which ends a stream of answers. */
  fail(errnum: number, text?: string): void {
    this.#send(errnum, text === undefined ? undefined : textPayload(text));
  }

  #send(errnum: number, payload: Uint8Array | undefined): void {
    const { flags, matchtag, routes, topic } = this.#message;
    if (flags & FLAG.noresponse) return;
    const response: ResponseMessage = {
      type: "response",
      // a response is the request without its payload (libflux response.c flux_response_derive)
      flags: payload ? flags | FLAG.payload : flags & ~FLAG.payload,
      ...responseCredential(this.server, { local: this.rank === this.connection.rank }),
      errnum,
      matchtag,
      routes,
      topic,
      payload,
    };
    this.connection.send(response);
  }
}
