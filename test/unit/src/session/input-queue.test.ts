import { describe, expect, it } from "vitest";
import type { FluxError } from "../../../../src/errors.js";
import { InputQueue } from "../../../../src/session/input-queue.js";
import { bytes, settled } from "../../../support/peer.js";

const decoder = new TextDecoder();

/** A writer, the input that it has sent ("" is its end), and the results of its writes, in order. */
function writer() {
  const input = new InputQueue();
  const sent: string[] = [];
  const ends: string[] = [];
  const sink = {
    limit: 262_144,
    turn: (send: () => boolean) => {
      while (send());
    },
    data: (data: Uint8Array) => void sent.push(decoder.decode(data)),
    eof: () => void sent.push("<eof>"),
  };
  const write = (text: string) => {
    input.write(bytes(text)).then(
      () => ends.push(`${text} sent`),
      (error: FluxError) => ends.push(`${text} ${error.code}`),
    );
  };
  return { input, sent, ends, sink, write };
}

describe("InputQueue", () => {
  it("sends nothing without credit", async () => {
    const { input, sent, ends, sink, write } = writer();
    input.open(sink);
    write("a");
    await settled();
    expect([sent, ends]).toEqual([[], []]);
  });

  it("sends nothing before the request, with any credit", async () => {
    const { input, sent, sink, write } = writer();
    write("a");
    input.end();
    input.addCredit(5);
    await settled();
    expect(sent).toEqual([]);
    input.open(sink);
    expect(sent).toEqual(["a", "<eof>"]);
  });

  it("cuts a write to the credit, and settles it with its last byte", async () => {
    const { input, sent, ends, sink, write } = writer();
    input.open(sink);
    write("abcdef");
    write("g");
    input.addCredit(4);
    await settled();
    expect([sent, ends]).toEqual([["abcd"], []]);
    input.addCredit(2);
    await settled();
    expect([sent, ends]).toEqual([["abcd", "ef"], ["abcdef sent"]]);
    input.addCredit(9);
    await settled();
    expect([sent, ends]).toEqual([
      ["abcd", "ef", "g"],
      ["abcdef sent", "g sent"],
    ]);
  });

  it("cuts a write into pieces that fit a frame", async () => {
    const { input, sent, sink, write } = writer();
    input.open(sink);
    input.addCredit(1_000_000);
    write("x".repeat(600_000));
    expect(sent.map(({ length }) => length)).toEqual([262_144, 262_144, 75_712]);
  });

  it("sends the end after all that was written, and needs no credit for it", () => {
    const { input, sent, sink, write } = writer();
    input.open(sink);
    write("ab");
    input.end();
    input.addCredit(1);
    expect(sent).toEqual(["a"]);
    input.addCredit(1);
    expect(sent).toEqual(["a", "b", "<eof>"]);
  });

  it("sends the end once", () => {
    const { input, sent, sink } = writer();
    input.open(sink);
    input.end();
    input.end();
    input.addCredit(1);
    input.over();
    expect(sent).toEqual(["<eof>"]);
  });

  it("takes an empty write in its turn, without credit", async () => {
    const { input, ends, sink, write } = writer();
    input.open(sink);
    write("");
    await settled();
    expect(ends).toEqual([" sent"]);
    write("a");
    write("");
    await settled();
    expect(ends).toEqual([" sent"]);
    input.addCredit(1);
    await settled();
    expect(ends).toEqual([" sent", "a sent", " sent"]);
  });

  it("refuses a write after the end, and still sends earlier writes", async () => {
    const { input, sent, ends, sink, write } = writer();
    input.open(sink);
    write("a");
    input.end();
    write("b");
    await settled();
    expect(ends).toEqual(["b EPIPE"]);
    input.addCredit(5);
    await settled();
    expect([sent, ends]).toEqual([
      ["a", "<eof>"],
      ["b EPIPE", "a sent"],
    ]);
  });

  it("rejects waiting writes when the process is over, and sends no more", async () => {
    const { input, sent, ends, sink, write } = writer();
    input.open(sink);
    write("ab");
    write("c");
    input.addCredit(1);
    input.over();
    input.addCredit(5);
    input.end();
    write("d");
    await settled();
    expect([sent, ends]).toEqual([["a"], ["ab EPIPE", "c EPIPE", "d EPIPE"]]);
  });

  it("rejects waiting writes when the process is over before its request was sent", async () => {
    const { input, sent, ends, sink, write } = writer();
    write("a");
    input.over();
    input.open(sink);
    await settled();
    expect([sent, ends]).toEqual([[], ["a EPIPE"]]);
  });
});
