import { describe, it } from "vitest";
import { lines, text } from "../../src/index.js";
import { bytes } from "../support/peer.js";
import { marbles } from "./support.js";

describe("lines", () => {
  it("end where lines end, not where chunks end", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("-a-b---c-|", { a: bytes("on"), b: bytes("e\ntwo\nth"), c: bytes("ree\n") });
      // In a marble diagram, a group takes as much time as its characters.
      expectObservable(source.pipe(lines())).toBe("---(xy)z-|", { x: "one", y: "two", z: "three" });
      expectSubscriptions(source.subscriptions).toBe("^--------!");
    });
  });

  it("include an unfinished last line, also before an error, unless it is empty", () => {
    marbles(({ cold, expectObservable }) => {
      const input = { a: "one\ntw", b: "one\n", z: "" };
      const values = { x: "one", y: "tw" };
      expectObservable(cold("a-|", input).pipe(lines())).toBe("x-(y|)", values);
      expectObservable(cold("a-#", input).pipe(lines())).toBe("x-(y#)", values);
      expectObservable(cold("b-|", input).pipe(lines())).toBe("x-|", values);
      expectObservable(cold("z-|", input).pipe(lines())).toBe("--|", values);
    });
  });

  it("lose \
 and \\r\
, also split over two chunks, but keep any other \\r", () => {
    marbles(({ cold, expectObservable }) => {
      const input = { a: "1\r", b: "\n\r\n\n2\r3\r\r\n", c: "4\r" };
      const values = { w: "1", x: "", y: "2\r3\r", z: "4\r" };
      expectObservable(cold("-a-b------c-|", input).pipe(lines())).toBe("---(wxxy)---(z|)", values);
    });
  });

  it("are the same of bytes, of text and of text() of the bytes", () => {
    marbles(({ cold, expectObservable }) => {
      const source = { a: bytes("é\u2028x\n").subarray(0, 1), b: bytes("é\u2028x\n").subarray(1) };
      expectObservable(cold("-a-b|", source).pipe(lines())).toBe("---x|", { x: "é\u2028x" });
      expectObservable(cold("-a-b|", source).pipe(text(), lines())).toBe("---x|", { x: "é\u2028x" });
    });
  });

  it("keep a character of text that two chunks share", () => {
    marbles(({ cold, expectObservable }) => {
      const [a, b] = ["\ud83d", "\ude00\n"];
      expectObservable(cold("-a-b|", { a, b }).pipe(lines())).toBe("---x|", { x: "😀" });
    });
  });

  it("may mix text and bytes", () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold<string | Uint8Array>("abc|", { a: bytes("x"), b: "é", c: bytes("y\n") });
      expectObservable(source.pipe(lines())).toBe("--x|", { x: "xéy" });
    });
  });

  it("error for any other type", () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold<string>("ab|", { a: "x\n", b: 7 as unknown as string });
      const error = new TypeError("input is strings or Uint8Arrays, not number");
      expectObservable(source.pipe(lines())).toBe("x#", { x: "x" }, error);
    });
  });

  it("stop when the subscriber has enough", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold("a-a-a|", { a: "x\n" });
      expectObservable(source.pipe(lines()), "^-!").toBe("x-", { x: "x" });
      expectSubscriptions(source.subscriptions).toBe("^-!");
    });
  });
});
