/** A socket that keeps what it is sent, and takes as much as the test says. */
import type { OutboxSocket } from "../../../../proxy/flow/outbox.js";
import { type DataFrame, decodeDataFrame } from "../../../../src/protocol/frame.js";
import type { SequencedServerMessage } from "../../../../src/protocol/messages.js";
import { parseServerMessage } from "../../../../src/protocol/server-messages.js";

export class MemorySocket implements OutboxSocket {
  readonly messages: (SequencedServerMessage | DataFrame)[] = [];
  /** Bytes that the network has not taken. */
  bufferedAmount = 0;
  /** True if the network takes all at once. */
  fast = true;

  sendText(text: string): void {
    this.messages.push(parseServerMessage(text) as SequencedServerMessage);
    if (!this.fast) this.bufferedAmount += text.length;
  }

  sendBinary(bytes: Uint8Array): void {
    this.messages.push(decodeDataFrame(bytes));
    if (!this.fast) this.bufferedAmount += bytes.length;
  }

  get types(): string[] {
    return this.messages.map(({ type }) => type);
  }

  get frames(): DataFrame[] {
    return this.messages.filter((message) => message.type === "data");
  }

  /** How much output it was sent. */
  get bytes(): number {
    return this.frames.reduce((sum, { data }) => sum + data.length, 0);
  }
}
