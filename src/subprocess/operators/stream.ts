import { filter, map, type OperatorFunction } from "rxjs";
import type { ProcessEvent } from "../events.js";

/** The bytes of standard output, of all ranks as they come. */
export function stdout(): OperatorFunction<ProcessEvent, Uint8Array> {
  return stream("stdout");
}

/** The bytes of standard error, of all ranks as they come. */
export function stderr(): OperatorFunction<ProcessEvent, Uint8Array> {
  return stream("stderr");
}

/** The bytes of one output stream: "stdout", "stderr" or an auxiliary channel. */
export function stream(name: string): OperatorFunction<ProcessEvent, Uint8Array> {
  return (events) =>
    events.pipe(
      filter((event) => event.type === "output" && event.stream === name),
      map((event) => (event as Extract<ProcessEvent, { type: "output" }>).data),
    );
}
