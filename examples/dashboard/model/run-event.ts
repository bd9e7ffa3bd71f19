/** The events of a run, and their entries on the screen. */
import { describeOutcome, type ProcessEvent } from "flux-subprocess";
import type { Entry } from "./transcript.js";

/** An event of a process, or the error that ended all. */
export type RunEvent = ProcessEvent | { readonly type: "lost"; readonly error: Error };

/** Undefined if another part of the page shows the event. */
export function entryOf(event: RunEvent): Entry | undefined {
  switch (event.type) {
    case "output":
    case "eof":
      return event;
    case "attached":
      return {
        type: "note",
        rank: event.rank,
        text: `attached to ${event.pid}: ${event.cmd.cmdline.join(" ")}`,
      };
    case "stopped":
      return { type: "note", rank: event.rank, text: "was stopped" };
    case "unresponsive":
      return { type: "note", rank: event.rank, text: "its broker does not answer", bad: true };
    case "responsive":
      return { type: "note", rank: event.rank, text: "its broker answers again" };
    case "gap": {
      const text = `${event.bytes.toLocaleString("en")} bytes of ${event.stream} are missing: this page read too slowly`;
      return { type: "note", rank: event.rank, text, bad: true };
    }
    case "finished":
      return {
        type: "note",
        rank: event.rank,
        text: describeOutcome(event.outcome),
        bad: event.outcome.kind === "unknown",
      };
    case "error":
      return {
        type: "note",
        rank: event.rank,
        text: `${event.error.reason} (${event.error.code})`,
        bad: true,
      };
    case "lost":
      return { type: "note", text: event.error.message, bad: true };
    case "started":
      return undefined;
  }
}
