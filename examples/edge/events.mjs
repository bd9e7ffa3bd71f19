/** Process events as server-sent events (HTML Standard, 9.2), each with its data as JSON. */
import { catchError, concatMap, concatWith, defer, map, of } from "rxjs";

/**
 * An operator: of process events, the bytes of
 *
 * - `started`: `rank`, `pid`
 * - `output`: `rank`, `stream`, and `text` or `base64`
 * - `gap`: `rank`, `stream`, `bytes`: so many bytes of output are missing
 * - `stopped`: `rank`
 * - `finished`: `rank`, `outcome`: `{ kind: "exited", code }`, `{ kind: "signaled", signal }` or
 *   `{ kind: "unknown", cause }`. Its output may still follow
 * - `error`: `code`, `message`, and `rank` if it is of one of several
 * - `end`: all was told. A stream whose last event is neither this nor an `error` without `rank` was cut off
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
        concatMap((event) => [...output(event), ...told(event)]),
        map(([event, data], id) =>
          encoder.encode(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
        ),
      );
    });
}

/** What is told of an event beside its output. */
function told({ type, rank, ...event }) {
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

/** Each stream of each rank has a decoder: a character may be cut in two by the end of a chunk. */
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
      // What was cut off has no other half.
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
 * A comment whenever a reader has waited for so many milliseconds. That the other end of a connection is gone shows when
 * something is sent to it, and not before.
 */
export function keptAlive(stream, milliseconds) {
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
