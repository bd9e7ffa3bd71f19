import { describe, it } from "vitest";
import { FluxError, lines, type ProcessEvent, text } from "../../src/index.js";
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

  it("of events keep ranks and streams apart, and end with their stream", () => {
    const of = (rank: number, stream: string, text: string): ProcessEvent => ({
      type: "output",
      rank,
      stream,
      data: bytes(text),
    });
    const events = {
      a: of(0, "stdout", "one\ntw"),
      b: of(1, "stdout", "ONE\nTW"),
      c: of(0, "stderr", "oops"),
      d: of(0, "stdout", "o\n"),
      e: { type: "eof", rank: 1, stream: "stdout" } as const,
    };
    const values = {
      a: { rank: 0, stream: "stdout", line: "one" },
      b: { rank: 1, stream: "stdout", line: "ONE" },
      d: { rank: 0, stream: "stdout", line: "two" },
      e: { rank: 1, stream: "stdout", line: "TW" },
      f: { rank: 0, stream: "stderr", line: "oops" },
    };
    marbles(({ cold, expectObservable }) => {
      const lost = new FluxError("ECONNRESET");
      expectObservable(cold<ProcessEvent>("abcde-|", events).pipe(lines())).toBe("ab-de-(f|)", values);
      expectObservable(cold<ProcessEvent>("abc#", events, lost).pipe(lines())).toBe(
        "ab-(ghf#)",
        {
          ...values,
          g: { rank: 0, stream: "stdout", line: "tw" },
          h: { rank: 1, stream: "stdout", line: "TW" },
        },
        lost,
      );
    });
  });

  it("of events error at a gap, after all the text before it", () => {
    const events = {
      a: { type: "output", rank: 3, stream: "stdout", data: bytes("x\ny") } as const,
      g: { type: "gap", rank: 3, stream: "stdout", bytes: 9 } as const,
    };
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ProcessEvent>("aga|", events);
      const reason = "9 bytes of stdout were not taken in time and are missing";
      const error = new FluxError("ENOBUFS", reason, { rank: 3, subject: "output" });
      expectObservable(source.pipe(lines())).toBe(
        "x(y#)",
        { x: { rank: 3, stream: "stdout", line: "x" }, y: { rank: 3, stream: "stdout", line: "y" } },
        error,
      );
      expectSubscriptions(source.subscriptions).toBe("^!");
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
