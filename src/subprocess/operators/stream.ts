import { filter, map, type OperatorFunction } from "rxjs";
import { gapError, type ProcessEvent } from "../events.js";

type Output = Extract<ProcessEvent, { type: "output" | "gap" }>;

/** The bytes of standard output, of all ranks as they come. */
export function stdout(): OperatorFunction<ProcessEvent, Uint8Array> {
  return stream("stdout");
}

/** The bytes of standard error, of all ranks as they come. */
export function stderr(): OperatorFunction<ProcessEvent, Uint8Array> {
  return stream("stderr");
}

/**
 * The bytes of one output stream: "stdout", "stderr" or an auxiliary channel. Where some are missing it errors with
 * ENOBUFS; who wants the others all the same leaves the gaps out before: `filter(({ type }) => type !== "gap")`.
 */
export function stream(name: string): OperatorFunction<ProcessEvent, Uint8Array> {
  return (events) =>
    events.pipe(
      filter(
        (event): event is Output =>
          (event.type === "output" || event.type === "gap") && event.stream === name,
      ),
      map((event) => {
        if (event.type === "gap") throw gapError(event);
        return event.data;
      }),
    );
}
