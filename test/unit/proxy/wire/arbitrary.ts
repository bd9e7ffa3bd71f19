/** Arbitrary messages and splits of byte streams. */
import fc from "fast-check";
import { FLAG, type Message } from "../../../../proxy/wire/message.js";

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
/** Lengths around 255, where the size of a part changes its form, and any others. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.integer({ min: 250, max: 260 }).map((size) => new Uint8Array(size).fill(7)),
  fc.integer({ min: 65_530, max: 65_540 }).map((size) => new Uint8Array(size).fill(255)),
);
const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }),
  fc.constant("x".repeat(300)),
);

const common = fc
  .record({
    userid: uint32,
    rolemask: uint32,
    routes: fc.option(fc.array(name, { maxLength: 3 }), { nil: undefined }),
    topic: fc.option(name, { nil: undefined }),
    payload: fc.option(bytes, { nil: undefined }),
    others: fc.constantFrom(0, FLAG.streaming, FLAG.noresponse, FLAG.private | FLAG.upstream, FLAG.user1),
  })
  .map(({ others, routes, ...rest }) => ({
    flags:
      others |
      (routes ? FLAG.route : 0) |
      (rest.topic === undefined ? 0 : FLAG.topic) |
      (rest.payload === undefined ? 0 : FLAG.payload),
    routes: routes ?? [],
    ...rest,
  }));

/** Any message whose flags agree with what it has. */
export const anyMessage: fc.Arbitrary<Message> = fc
  .tuple(common, uint32, uint32, fc.constantFrom("request", "response", "event", "control"))
  .map(([rest, a, b, type]): Message => {
    switch (type) {
      case "request":
        return { type, ...rest, nodeid: a, matchtag: b };
      case "response":
        return { type, ...rest, errnum: a, matchtag: b };
      case "event":
        return { type, ...rest, sequence: a };
      default:
        return { type: "control", ...rest, controlType: a, status: b };
    }
  });

/** `stream` cut at `cuts`, which may be any numbers. */
export function cut(stream: Uint8Array, cuts: number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((n) => n % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, i) => stream.subarray(start, at[i] ?? stream.length));
}

/** A message that compares fast: a matcher looks at each element of an array on its own. */
export function plain(message: Message): object {
  return { ...message, payload: message.payload && Buffer.from(message.payload).toString("latin1") };
}

export function concat(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
