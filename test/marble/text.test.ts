import { describe, it } from "vitest";
import { text } from "../../src/index.js";
import { bytes } from "../support/peer.js";
import { marbles } from "./support.js";

// "aé😀" in pieces that cut both characters.
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
  it("keeps what a chunk cuts off, and emits nothing where there is nothing", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("-a-z-b-c-d-e-|", input);
      expectObservable(source.pipe(text())).toBe("-a-----b---c-|", { a: "a", b: "é", c: "😀" });
      expectSubscriptions(source.subscriptions).toBe("^------------!");
    });
  });

  it("tells what was cut off at the end, and before an error", () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold("-b---|", input).pipe(text())).toBe("-----(x|)", { x: "\ufffd" });
      expectObservable(cold("-b---#", input).pipe(text())).toBe("-----(x#)", { x: "\ufffd" });
      expectObservable(cold("-a---#", input).pipe(text())).toBe("-a---#", { a: "a" });
    });
  });

  it("has a state for each subscription", () => {
    marbles(({ cold, expectObservable }) => {
      const decoded = cold("b-c|", input).pipe(text());
      const values = { e: "é", x: "\ufffd" };
      expectObservable(decoded, "^!").toBe("-", values);
      expectObservable(decoded, "-----^").toBe("-------e(x|)", values);
    });
  });

  it("decodes other encodings, and replaces what is not of them", () => {
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold("x|", input).pipe(text("latin1"))).toBe("x|", { x: "ÿ" });
      expectObservable(cold("xa|", input).pipe(text())).toBe("xa|", { x: "\ufffd", a: "a" });
    });
  });

  it("errors for an encoding that is none, without subscribing", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("a|", input);
      const error = (() => {
        try {
          return new TextDecoder("none");
        } catch (reason) {
          return reason;
        }
      })();
      expectObservable(source.pipe(text("none"))).toBe("#", {}, error);
      expectSubscriptions(source.subscriptions).toBe([]);
    });
  });

  it("passes an unsubscription on", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("a-a-a|", input);
      expectObservable(source.pipe(text()), "^-!").toBe("a-", { a: "a" });
      expectSubscriptions(source.subscriptions).toBe("^-!");
    });
  });
});
