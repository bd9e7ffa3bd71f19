import { describe, expect, it } from "vitest";
import { type ProcessEvent, text } from "../../src/index.js";
import { bytes } from "../support/peer.js";
import { marbles } from "./support.js";

// "aé😀" in pieces that split both characters.
const input = {
  a: bytes("a"),
  b: Uint8Array.of(0xc3),
  c: Uint8Array.of(0xa9, 0xf0, 0x9f),
  d: Uint8Array.of(0x98),
  e: Uint8Array.of(0x80),
  z: new Uint8Array(0),
  x: Uint8Array.of(0xff),
};

describe("text", () => {
  it("keeps a partial character for the next chunk, and never emits an empty text", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("-a-z-b-c-d-e-|", input);
      expectObservable(source.pipe(text())).toBe("-a-----b---c-|", { a: "a", b: "é", c: "😀" });
      expectSubscriptions(source.subscriptions).toBe("^------------!");
    });
  });

  it("emits U+FFFD for a partial character at the end, and before an error", () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold("-b---|", input).pipe(text())).toBe("-----(x|)", { x: "\ufffd" });
      expectObservable(cold("-b---#", input).pipe(text())).toBe("-----(x#)", { x: "\ufffd" });
      expectObservable(cold("-a---#", input).pipe(text())).toBe("-a---#", { a: "a" });
    });
  });

  it("has a separate state for each subscription", () => {
    marbles(({ cold, expectObservable }) => {
      const decoded = cold("b-c|", input).pipe(text());
      const values = { e: "é", x: "\ufffd" };
      expectObservable(decoded, "^!").toBe("-", values);
      expectObservable(decoded, "-----^").toBe("-------e(x|)", values);
    });
  });

  it("decodes other encodings, and replaces invalid bytes", () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold("x|", input).pipe(text("latin1"))).toBe("x|", { x: "ÿ" });
      expectObservable(cold("xa|", input).pipe(text())).toBe("xa|", { x: "\ufffd", a: "a" });
    });
  });

  it("throws for an unknown encoding at once", () => {
    expect(() => text("none")).toThrow(RangeError);
  });

  it("decodes each stream of each rank by itself", () => {
    const of = (rank: number, stream: string, ...data: number[]): ProcessEvent => ({
      type: "output",
      rank,
      stream,
      data: new Uint8Array(data),
    });
    // "é" is C3 A9, "ë" is C3 AB.
    const events = {
      a: of(0, "stdout", 0xc3),
      b: of(1, "stdout", 0xc3),
      c: of(1, "stdout", 0xa9),
      d: of(0, "stderr", 0x78),
      e: of(0, "stdout", 0xab),
    };
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold<ProcessEvent>("abcde|", events).pipe(text())).toBe("--xyz|", {
        x: { rank: 1, stream: "stdout", text: "é" },
        y: { rank: 0, stream: "stderr", text: "x" },
        z: { rank: 0, stream: "stdout", text: "ë" },
      });
    });
  });

  it("forwards an unsubscription", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("a-a-a|", input);
      expectObservable(source.pipe(text()), "^-!").toBe("a-", { a: "a" });
      expectSubscriptions(source.subscriptions).toBe("^-!");
    });
  });
});
