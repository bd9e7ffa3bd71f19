/** Process events as server-sent events (HTML Standard, 9.2), each with its data as JSON. */
import { catchError, concatMap, concatWith, defer, map, of } from "rxjs";

/**
 * An operator from process events to the bytes of these events:
 *
 * - `started`: `rank`, `pid`
 * - `output`: `rank`, `stream`, and `text` or `base64`
 * - `gap`: `rank`, `stream`, `bytes`: the number of bytes of output that are missing
 * - `stopped`: `rank`
 * - `finished`: `rank`, `outcome`: `{ kind: "exited", code }`, `{ kind: "signaled", signal }` or
 *   `{ kind: "unknown", cause }`. More output may follow
 * - `error`: `code`, `message`, and `rank` if one of several ranks failed
 * - `end`: the events are complete. A stream is incomplete unless its last event is `end` or an `error` without `rank`
 *
 * @param encoding "text" or "base64"
 */
export function serverSentEvents(encoding) {
  return (events) =>
    defer(() => {
      const output = encoding === "base64" ? asBase64() : asText();
      const encoder = new TextEncoder();
      return events.pipe(
        concatWith(of({ type: "end" })),
        catchError((error) => of({ type: "error", error })),
        concatMap((event) => [...output(event), ...notices(event)]),
        map(([event, data], id) =>
          encoder.encode(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
        ),
      );
    });
}

/** The events of this protocol other than `output`. */
function notices({ type, rank, ...event }) {
  switch (type) {
    case "started":
      return [[type, { rank, pid: event.pid }]];
    case "gap":
      return [[type, { rank, stream: event.stream, bytes: event.bytes }]];
    case "stopped":
      return [[type, { rank }]];
    case "finished":
      return [[type, { rank, outcome: plain(event.outcome) }]];
    case "end":
      return [[type, {}]];
    case "error":
      return [[type, { rank, ...plainError(event.error) }]];
    default:
      return [];
  }
}

function plain(outcome) {
  return outcome.kind === "unknown" ? { ...outcome, cause: plainError(outcome.cause) } : outcome;
}

function plainError({ code, message }) {
  return { code, message };
}

/** One decoder for each stream of each rank, since a chunk may end within a character. */
function asText() {
  const decoders = new Map();
  return ({ type, rank, stream, data }) => {
    const key = `${rank} ${stream}`;
    const decoder = decoders.get(key) ?? new TextDecoder("utf-8", { ignoreBOM: true });
    let text = "";
    if (type === "output") {
      decoders.set(key, decoder);
      text = decoder.decode(data, { stream: true });
    } else if (type === "eof" || type === "gap") {
      // The rest of a character that the stream has begun will not come.
      text = decoder.decode();
    }
    return text === "" ? [] : [["output", { rank, stream, text }]];
  };
}

function asBase64() {
  return ({ type, rank, stream, data }) =>
    type === "output" ? [["output", { rank, stream, base64: base64(data) }]] : [];
}

function base64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const COMMENT = new TextEncoder().encode(":\n\n");

/**
 * Sends a comment after each `milliseconds` without an event. Only a write to a connection shows whether the other end has gone.
 */
export function withKeepalive(stream, milliseconds) {
  const reader = stream.getReader();
  let read;
  return new ReadableStream(
    {
      async pull(controller) {
        read ??= reader.read();
        let timer;
        const quiet = new Promise((resolve) => {
          timer = setTimeout(resolve, milliseconds, { value: COMMENT });
        });
        const { done, value } = await Promise.race([read, quiet]);
        clearTimeout(timer);
        if (value !== COMMENT) read = undefined;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
