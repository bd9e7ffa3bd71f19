/** The treatment of a process whose output is not consumed in time. PROTOCOL.md, "Flow control". */
import type { FluxError } from "../../../src/errors.js";

/** One treatment, for one process. */
export interface OverflowStrategy {
  /** Output has come. @returns whether to send it */
  takes(bytes: number): boolean;
  /** The output was sent, or waits. */
  took(bytes: number): void;
  /** Less waits than before. */
  drained(): void;
  /** The process has stopped. @returns whether to report the stop to the client */
  stopped(): boolean;
  /** The client signed a stop and a continue of the process. */
  signed(stop: string, cont: string): void;
  /** Replaces the end that the server gives; undefined if it does not. */
  readonly error: FluxError | undefined;
  /** The process is no longer followed. */
  end(): void;
}
