import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage, type Message, WireError } from "../../../../proxy/wire/message.js";
import { anyMessage, plain } from "./arbitrary.js";
import { meaning, transcripts } from "./transcripts.js";

const PREFIX = 8;

describe("recorded messages", () => {
  it.each(transcripts)("of $name mean what was recorded, and encode to the same bytes", ({ frames }) => {
    for (const { bytes, meaning: recorded } of frames) {
      const body = bytes.subarray(PREFIX);
      const message = decodeMessage(body);
      expect(meaning(message)).toEqual(recorded);
      expect(encodeMessage(message)).toEqual(body);
    }
  });
});

describe("any message", () => {
  it("is what it was after encoding and decoding", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(plain(decodeMessage(encodeMessage(message)))).toEqual(plain(message));
      }),
    );
  });

  it("that is cut short is refused", () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, n) => {
        const body = encodeMessage(message);
        expect(() => decodeMessage(body.subarray(0, n % body.length))).toThrow(WireError);
      }),
    );
  });
});

describe("decodeMessage", () => {
  it("throws nothing but WireError, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (body) => {
        expect(only(WireError, () => decodeMessage(body))).toBe(true);
      }),
    );
  });

  it("throws nothing but WireError, whatever is damaged", () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.nat(255), (message, at, value) => {
        const body = encodeMessage(message);
        body[at % body.length] = value;
        expect(only(WireError, () => decodeMessage(body))).toBe(true);
      }),
    );
  });

  const ping: Message = {
    type: "request",
    flags: 0x09,
    userid: 0,
    rolemask: 0,
    routes: [],
    topic: "ping",
    nodeid: 0,
    matchtag: 1,
  };
  const header = encodeMessage(ping).length - 20;

  it.each([
    ["no header", Uint8Array.of(), "message has no header"],
    ["a wrong magic", [header, 0x8f], "message header has a wrong magic"],
    ["another version", [header + 1, 2], "message version 2 is not supported"],
    ["an unknown type", [header + 2, 3], "message type 3 is not known"],
    ["a flag for what it lacks", [header + 3, 0x0b], "message has no payload"],
    ["no flag for what it has", [header + 3, 0x08], "message has more parts than its flags say"],
    ["a size beyond its end", [1, 200], "message ends inside a part"],
    ["a topic that is no UTF-8", [2, 0xff], "topic is not UTF-8"],
  ])("names what is wrong with %s", (_, damage, text) => {
    const body = damage instanceof Uint8Array ? damage : encodeMessage(ping);
    if (!(damage instanceof Uint8Array)) body[damage[0] as number] = damage[1] as number;
    expect(() => decodeMessage(body)).toThrow(text);
  });
});

describe("parts", () => {
  const header = encodeMessage({
    type: "response",
    flags: 0x08,
    userid: 0,
    rolemask: 0,
    routes: [],
    errnum: 0,
    matchtag: 1,
  }).subarray(1);

  it("are refused at the 257th, however many there are", () => {
    const empty = new Uint8Array(63 * 1024 * 1024);
    empty.set(header, empty.length - header.length);
    expect(() => decodeMessage(empty)).toThrow("message has more than 256 parts");
  });

  it("are taken up to 256: 254 routes, the delimiter, the header", () => {
    const routes = Array.from({ length: 254 }, (_, i) => `${i + 1}`);
    const longest: Message = {
      type: "response",
      flags: 0x08,
      userid: 0,
      rolemask: 0,
      routes,
      errnum: 0,
      matchtag: 1,
    };
    expect(decodeMessage(encodeMessage(longest)).routes).toEqual(routes);
    const longer = encodeMessage({ ...longest, routes: [...routes, "x"] });
    expect(() => decodeMessage(longer)).toThrow(WireError);
  });
});

/** True if `run` returns, or throws a `type`. */
function only(type: new (message: string) => Error, run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (error) {
    return error instanceof type;
  }
}
