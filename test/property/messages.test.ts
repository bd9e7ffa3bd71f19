import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseClientMessage, parseHello, parseProof } from "../../src/protocol/client-messages.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import { ProtocolError } from "../../src/protocol/protocol-error.js";
import { parseOpening, parseServerMessage } from "../../src/protocol/server-messages.js";

/** Without integers that become a BigInt: test/property/json.test.ts has those. */
const json = fc.jsonValue().filter((value) => !/\d{16}/.test(JSON.stringify(value)));

const seq = fc.integer({ min: 1, max: 2 ** 48 - 1 });
const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const id = fc.integer({ min: 1, max: 0x7fffffff });
const rank = fc.integer({ min: 0, max: 0xfffffffe });
const name = fc.string({ unit: "binary", minLength: 1 }).filter((text) => !text.includes("\0"));
const stream = name.filter((text) => new TextEncoder().encode(text).length <= 255);
const payload = fc
  .dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false }))
  .filter((value) => !/\d{16}/.test(JSON.stringify(value)));
const nodeid = fc.oneof(
  fc.constantFrom("any", "all", "[0-3,7]"),
  fc.uniqueArray(fc.nat(200), { minLength: 1 }).map((ids) => encodeIdset(ids.sort((a, b) => a - b))),
);
const type = <T extends string>(value: T) => fc.constant(value);

const clientMessage = fc.oneof(
  fc.record({
    type: type("request"),
    seq,
    id,
    topic: name,
    nodeid,
    streaming: fc.boolean(),
    payload,
  }),
  fc.record({ type: type("consumed"), seq, id, rank, stream, bytes: count }),
  fc.record({ type: type("brake"), seq, id, rank, stop: fc.string(), cont: fc.string() }),
  fc.record({ type: fc.constantFrom("ping" as const, "pong" as const) }),
  fc.record({ type: type("eof"), seq, id, stream }),
  fc.record({ type: type("detach"), seq, id }),
  fc.record({ type: type("fresh"), seq, id, signature: fc.string() }),
  fc.record({ type: type("ack"), seq: fc.nat() }),
  fc.record({ type: type("token"), token: fc.string() }),
  fc.record({
    type: type("write"),
    seq,
    id,
    rank,
    stream,
    bytes: fc.nat(262_144),
    signature: fc.string(),
  }),
);

const serverMessage = fc.oneof(
  fc.record({ type: type("response"), seq, id, rank, payload }),
  fc.record({ type: type("eof"), seq, id, rank, stream }),
  fc.record({ type: type("credit"), seq, id, stream, bytes: count }),
  fc.record({ type: type("error"), seq, id, rank, errno: count, message: fc.string() }),
  fc.record({ type: type("refused"), seq, id, stream, bytes: fc.nat(), errno: count, message: fc.string() }),
  fc.record({ type: fc.constantFrom("expiring" as const, "renewed" as const), expires: fc.nat() }),
  fc.record({ type: type("end"), seq, id, rank }),
  fc.record({ type: type("stale"), seq, id }),
  fc.record({ type: type("gap"), seq, id, rank, stream, bytes: count }),
  fc.record({ type: type("ack"), seq: fc.nat() }),
  fc.record({ type: fc.constantFrom("ping" as const, "pong" as const) }),
);

const hello = fc.record({ type: type("hello"), token: fc.string() });
const welcome = fc.record({
  type: type("welcome"),
  session: name,
  rank,
  size: count,
  owner: fc.nat(),
  userid: fc.nat(),
  expires: fc.nat(),
  time: fc.nat(),
  grace: fc.nat(),
  received: fc.nat(),
});
const challenge = fc.record({ type: type("challenge"), nonce: name });
const proof = fc.record({ type: type("proof"), proof: fc.string() });

const parsers = {
  hello: { valid: hello, parse: parseHello },
  opening: { valid: fc.oneof(welcome, challenge), parse: parseOpening },
  proof: { valid: proof, parse: parseProof },
  "client message": { valid: clientMessage, parse: parseClientMessage },
  "server message": { valid: serverMessage, parse: parseServerMessage },
} as const;

/** The result of `parse`, or "refused"; anything but a ProtocolError with code 4400 fails the test. */
function parsed(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof ProtocolError && error.closeCode === 4400) return "refused";
    throw error;
  }
}

describe.each(Object.entries(parsers))("%s", (_, { valid, parse }) => {
  const messages = valid as fc.Arbitrary<object>;

  it("is read as it was written", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const written = JSON.parse(JSON.stringify(message));
        expect(parse(JSON.stringify(message))).toEqual(written);
      }),
    );
  });

  it("is read without the fields that are unknown", () => {
    fc.assert(
      fc.property(messages, json, (message, extra) => {
        const written = JSON.parse(JSON.stringify(message));
        expect(parse(JSON.stringify({ ...message, "no such field": extra }))).toEqual(written);
      }),
    );
  });

  it("is refused without any one of its fields", () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, n) => {
        const keys = Object.keys(message);
        const field = keys[n % keys.length] as string;
        const { [field]: _, ...rest } = message as Record<string, unknown>;
        // An error has a rank or ranks; that it has one of them is for the request to say, which knows what is owed.
        fc.pre(!(rest["type"] === "error" && field.startsWith("rank")));
        expect(parsed(parse, JSON.stringify(rest))).toBe("refused");
      }),
    );
  });

  it("is refused, or a message that is read the same again, with any one of its fields changed", () => {
    fc.assert(
      fc.property(messages, fc.nat(), json, (message, n, value) => {
        const keys = Object.keys(message);
        const changed = { ...message, [keys[n % keys.length] as string]: value };
        const read = parsed(parse, JSON.stringify(changed));
        if (read !== "refused") expect(parse(JSON.stringify(read))).toEqual(read);
      }),
      { numRuns: 300 },
    );
  });

  it("is refused for any other text and any other JSON", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.json()), (text) => {
        expect(parsed(parse, text)).toBe("refused");
      }),
      { numRuns: 300 },
    );
  });

  it("is refused when it is nested more deeply than a stack is deep", () => {
    const deep = `{"type":"response","seq":1,"id":1,"rank":0,"payload":${"[".repeat(1e6)}`;
    expect(parsed(parse, deep)).toBe("refused");
  });
});
