import { describe, expect, it } from "vitest";
import { parseClientMessage, parseHello } from "../../../../src/protocol/client-messages.js";
import { ranksOf } from "../../../../src/protocol/messages.js";
import { parseOpening, parseServerMessage } from "../../../../src/protocol/server-messages.js";

const refusal = (message: string) =>
  expect.objectContaining({ name: "ProtocolError", closeCode: 4400, message });

const REQUEST = {
  type: "request",
  seq: 1,
  id: 1,
  topic: "a.b",
  nodeid: "any",
  streaming: true,
  payload: {},
};
const RESPONSE = { type: "response", seq: 1, id: 1, rank: 0, payload: {} };
const ERROR = { type: "error", seq: 1, id: 1, rank: 0, errno: 2, message: "" };
const CREDIT = { type: "credit", seq: 1, id: 1, stream: "stdin", bytes: 1 };
const CONSUMED = { type: "consumed", seq: 1, id: 1, rank: 0, stream: "stdout", bytes: 1 };
const WELCOME = {
  type: "welcome",
  session: "s",
  rank: 0,
  size: 1,
  owner: 0,
  userid: 0,
  expires: 1,
  time: 0,
  grace: 0,
  received: 0,
};

describe("messages", () => {
  it.each(["", "x", "{", "[]", "null", "7", '"request"', "[{}]"])(
    "of a client are objects, not %j",
    (text) => {
      const message =
        text === "" || text === "x" || text === "{" ? "message is not JSON" : "message is not an object";
      for (const parse of [parseClientMessage, parseServerMessage, parseHello, parseOpening]) {
        expect(() => parse(text)).toThrow(refusal(message));
      }
    },
  );

  it("have a type that is known", () => {
    const odd = JSON.stringify({ seq: 1, id: 1, type: "odd" });
    expect(() => parseClientMessage(odd)).toThrow(refusal('message type "odd" is not known'));
    expect(() => parseServerMessage(odd)).toThrow(refusal('message type "odd" is not known'));
    expect(() => parseClientMessage("{}")).toThrow(refusal("type is not a string"));
    expect(() => parseHello(JSON.stringify(WELCOME))).toThrow(refusal("the first message is not hello"));
    expect(() => parseOpening(JSON.stringify(REQUEST))).toThrow(refusal("the first message is not welcome"));
  });

  it("may have fields that others have not", () => {
    const hello = { type: "hello", token: "t", grace: 0, resume: { id: "r", received: 0 } };
    expect(parseHello(JSON.stringify(hello))).toEqual(hello);
    for (const overflow of ["stop", "gap", "kill"]) {
      expect(parseClientMessage(JSON.stringify({ ...REQUEST, overflow }))).toEqual({ ...REQUEST, overflow });
    }
    expect(parseOpening(JSON.stringify({ ...WELCOME, resume: "r" }))).toEqual({ ...WELCOME, resume: "r" });
  });

  it.each([
    [{ grace: -1 }, "grace is not an integer of 0 to 9007199254740991"],
    [{ grace: "1" }, "grace is not an integer of 0 to 9007199254740991"],
    [{ resume: "r" }, "resume is not an object"],
    [{ resume: { id: "r" } }, "received is not an integer of 0 to 281474976710655"],
    [{ resume: { received: 1 } }, "id is not a string"],
  ])("of hello are checked: %j", (fields, reason) => {
    expect(() => parseHello(JSON.stringify({ type: "hello", token: "t", ...fields }))).toThrow(
      refusal(reason),
    );
  });

  it("lose the fields that are unknown", () => {
    expect(parseClientMessage(JSON.stringify({ ...REQUEST, more: 1 }))).toEqual(REQUEST);
    expect(parseServerMessage(JSON.stringify({ ...RESPONSE, more: 1 }))).toEqual(RESPONSE);
    expect(parseOpening(JSON.stringify({ ...WELCOME, more: 1 }))).toEqual(WELCOME);
    expect(parseHello('{"type":"hello","token":"t","more":1}')).toEqual({ type: "hello", token: "t" });
  });

  it.each([
    [{ ...REQUEST, seq: 0 }, "seq is not an integer of 1 to 281474976710655"],
    [{ ...REQUEST, seq: "1" }, "seq is not an integer of 1 to 281474976710655"],
    [{ ...REQUEST, seq: undefined }, "seq is not an integer of 1 to 281474976710655"],
    [{ ...REQUEST, id: 0 }, "id is not an integer of 1 to 2147483647"],
    [{ ...REQUEST, id: 1.5 }, "id is not an integer of 1 to 2147483647"],
    [{ ...REQUEST, id: 0x80000000 }, "id is not an integer of 1 to 2147483647"],
    [{ ...REQUEST, topic: "" }, "topic is empty"],
    [{ ...REQUEST, topic: "a\0" }, "topic has a NUL character"],
    [{ ...REQUEST, topic: 1 }, "topic is not a string"],
    [{ ...REQUEST, nodeid: 0 }, "nodeid is not a string"],
    [{ ...REQUEST, nodeid: "some" }, 'nodeid is not "any", "all" or an idset'],
    [{ ...REQUEST, nodeid: "" }, "nodeid is an empty idset"],
    [{ ...REQUEST, nodeid: "[]" }, "nodeid is an empty idset"],
    [{ ...REQUEST, streaming: 1 }, "streaming is not a boolean"],
    [{ ...REQUEST, payload: null }, "payload is not an object"],
    [{ ...REQUEST, payload: [] }, "payload is not an object"],
    [{ type: "eof", seq: 1, id: 1 }, "stream is not a string"],
    [{ ...REQUEST, overflow: "drop" }, 'overflow is not "stop", "gap" or "kill"'],
    [{ ...CONSUMED, bytes: 0 }, "bytes is not an integer of 1 to 9007199254740991"],
    [{ type: "brake", seq: 1, id: 1, rank: 0, stop: "" }, "cont is not a string"],
    [{ type: "ack", seq: -1 }, "seq is not an integer of 0 to 281474976710655"],
  ])("of a client are checked: %j", (message, reason) => {
    expect(() => parseClientMessage(JSON.stringify(message))).toThrow(refusal(reason));
  });

  it.each([
    [{ ...RESPONSE, rank: -1 }, "rank is not an integer of 0 to 4294967294"],
    [{ ...RESPONSE, rank: 0xffffffff }, "rank is not an integer of 0 to 4294967294"],
    [{ ...RESPONSE, payload: "x" }, "payload is not an object"],
    [{ ...ERROR, errno: 0 }, "errno is not an integer of 1 to 9007199254740991"],
    [{ ...ERROR, message: undefined }, "message is not a string"],
    [{ ...CREDIT, bytes: -1 }, "bytes is not an integer of 0 to 9007199254740991"],
    [{ ...CREDIT, stream: "" }, "stream is empty"],
  ])("of a proxy are checked: %j", (message, reason) => {
    expect(() => parseServerMessage(JSON.stringify(message))).toThrow(refusal(reason));
  });

  it.each([
    [{ ...WELCOME, session: "" }, "session is empty"],
    [{ ...WELCOME, rank: "0" }, "rank is not an integer of 0 to 4294967294"],
    [{ ...WELCOME, size: 0 }, "size is not an integer of 1 to 9007199254740991"],
    [{ ...WELCOME, owner: -1 }, "owner is not an integer of 0 to 9007199254740991"],
  ])("of welcome are checked: %j", (message, reason) => {
    expect(() => parseOpening(JSON.stringify(message))).toThrow(refusal(reason));
  });
});

describe("ranksOf", () => {
  it.each([
    ["any", [2]],
    ["all", [0, 1, 2, 3]],
    ["1,3", [1, 3]],
    ["[7-8]", [7, 8]],
  ])("%s", (nodeid, ranks) => {
    expect(ranksOf(nodeid, 2, 4)).toEqual(ranks);
  });

  it("does not take all memory for an instance that cannot be", () => {
    expect(() => ranksOf("all", 0, 65_537)).toThrow(TypeError);
  });
});
