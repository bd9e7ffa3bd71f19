/** What becomes of a process whose output is not taken in time. PROTOCOL.md, "Flow control". */
import type { FluxError } from "../../../src/errors.js";

export interface Overflow {
  /** Output has come. @returns whether it is to be sent */
  takes(bytes: number): boolean;
  /** It was sent, or waits. */
  took(bytes: number): void;
  /** Less waits than before. */
  drained(): void;
  /** The process has stopped. @returns whether to tell the client */
  stopped(): boolean;
  /** The client has signed what stops the process and lets it go on. */
  signed(stop: string, cont: string): void;
  /** What the rank ends with, in place of what its server says. */
  readonly error: FluxError | undefined;
  /** The process is not followed any more. */
  end(): void;
}
