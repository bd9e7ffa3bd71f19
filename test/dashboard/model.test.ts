/** The parts of the dashboard that do not need a page. */
import { Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import { environment, ranksOf, words } from "../../examples/dashboard/model/command-line.js";
import { Run } from "../../examples/dashboard/model/run.js";
import { entryOf } from "../../examples/dashboard/model/run-event.js";
import { isUnresponsive } from "../../examples/dashboard/model/run-state.js";
import { MergedScreen, RankScreen } from "../../examples/dashboard/model/screen.js";
import { type Entry, Transcript } from "../../examples/dashboard/model/transcript.js";
import { type Flux, FluxError, type ProcessEvent } from "../../src/index.js";

describe("the form", () => {
  it.each([
    ["echo a  b", ["echo", "a", "b"]],
    [`echo 'a  b' "c 'd'"`, ["echo", "a  b", "c 'd'"]],
    [`printf '' "" x`, ["printf", "", "", "x"]],
    [`a"b"'c'd`, ["abcd"]],
    [String.raw`a\ b "q\"q" "\n" '\n'`, ["a b", 'q"q', "\\n", "\\n"]],
    ["$HOME *", ["$HOME", "*"]],
    ["  ", []],
  ])("words of %s", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each(["echo 'a", 'echo "a', "echo a\\"])("no words of %s", (text) => {
    expect(() => words(text)).toThrow(SyntaxError);
  });

  it("reads an environment", () => {
    expect(environment("A=1\n\nB=x=y \n")).toEqual({ A: "1", B: "x=y " });
    expect(environment(" \n")).toBeUndefined();
    expect(() => environment("A=1\nB")).toThrow("not NAME=VALUE: B");
    expect(Object.entries(environment("__proto__=x") ?? {})).toEqual([["__proto__", "x"]]);
  });

  it("reads ranks", () => {
    const place = { rank: 2, size: 6 };
    expect(ranksOf("all", place)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(ranksOf("any", place)).toEqual([2]);
    expect(ranksOf(" 4, 0-2,1 ", place)).toEqual([0, 1, 2, 4]);
    expect(() => ranksOf("", place)).toThrow("not a set of ranks");
    expect(() => ranksOf("3-1", place)).toThrow("not a set of ranks");
    expect(() => ranksOf("0-4000000000", place)).toThrow("there is no rank 4000000000: the last one is 5");
  });
});

const bytes = (text: string) => new TextEncoder().encode(text);
const output = (rank: number, data: string | Uint8Array, stream = "stdout"): Entry => ({
  type: "output",
  rank,
  stream,
  data: typeof data === "string" ? bytes(data) : data,
});
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences start with ESC
const plain = (text: string | Uint8Array) => String(text).replace(/\x1b\[[\d;]*m/g, "");

describe("a merged screen", () => {
  const merged = () => new MergedScreen((rank) => `\x1b[3${rank}m`, 2);

  it("never joins the lines of two ranks", () => {
    const screen = merged();
    const shown = [output(0, "a"), output(1, "x\ny"), output(0, "b\nc"), output(1, "z\n")].map((entry) =>
      screen.show(entry),
    );
    expect(shown.map(plain)).toEqual(["", " 1 │ x\n", " 0 │ ab\n", " 1 │ yz\n"]);
  });

  it("separates stdout and stderr, and decodes a character that two chunks share", () => {
    const screen = merged();
    const [first, second] = [bytes("é").subarray(0, 1), bytes("é\n").subarray(1)];
    const shown = [output(0, first), output(0, "bad\n", "stderr"), output(0, second)].map((entry) =>
      screen.show(entry),
    );
    expect(shown.map(plain)).toEqual(["", " 0 │ bad\n", " 0 │ é\n"]);
  });

  it("shows an unfinished line at the end of its stream, or when it is long", () => {
    const screen = merged();
    screen.show(output(3, "prompt> "));
    expect(plain(screen.show({ type: "eof", rank: 3, stream: "stdout" }))).toBe(" 3 │ prompt> \n");
    expect(plain(screen.show(output(3, "x".repeat(20_000)))).length).toBe(20_000 + " 3 │ \n".length);
  });
});

describe("a screen of one rank", () => {
  it("shows its rank's bytes unchanged, and no other rank's", () => {
    const screen = new RankScreen(1);
    const entry = output(1, new Uint8Array([0xff, 0x1b, 0x41]));
    expect(screen.show(entry)).toBe(entry.type === "output" && entry.data);
    expect(screen.show(output(0, "other"))).toBe("");
    expect(screen.show({ type: "note", rank: 0, text: "exited with 0" })).toBe("");
    expect(plain(screen.show({ type: "note", rank: 1, text: "exited with 0" }))).toBe(
      "\nrank 1 exited with 0\n",
    );
  });
});

describe("a run on a rank that does not answer", () => {
  it("shows that while it may run there, and says so once each time", () => {
    const events = new Subject<ProcessEvent>();
    const shown: Entry[] = [];
    const display = { show: async (entry: Entry) => void shown.push(entry), dispose: () => {} };
    const flux = undefined as unknown as Flux;
    const run = new Run({ kind: "exec", title: "a", ranks: [0, 1], events, flux, display });
    const unresponsive = () => [...run.state.ranks.values()].map(isUnresponsive);
    events.next({ type: "unresponsive", rank: 1 });
    expect(unresponsive()).toEqual([false, true]);
    events.next({ type: "responsive", rank: 1 });
    expect(unresponsive()).toEqual([false, false]);
    events.next({ type: "started", rank: 1, pid: 7, matchtag: 1 });
    events.next({ type: "unresponsive", rank: 1 });
    expect(unresponsive()).toEqual([false, true]);
    events.next({ type: "error", rank: 1, error: new FluxError("EHOSTUNREACH") });
    expect(unresponsive()).toEqual([false, false]);
  });

  it("says so in words", () => {
    expect(entryOf({ type: "unresponsive", rank: 1 })).toMatchObject({
      rank: 1,
      text: "its broker does not answer",
    });
    expect(entryOf({ type: "responsive", rank: 1 })).toMatchObject({
      rank: 1,
      text: "its broker answers again",
    });
  });
});

describe("a transcript", () => {
  it("keeps the latest entries, and counts the bytes that it has dropped", () => {
    const transcript = new Transcript();
    const sent = 100;
    for (let i = 0; i < sent; i++) transcript.add(output(0, new Uint8Array(65_536).fill(i)));
    const kept = transcript.entries.map((entry) =>
      entry.type === "output" ? (entry.data[0] as number) : -1,
    );
    expect(kept.length * 65_536).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(kept.length * 65_536).toBeGreaterThan(1024 * 1024);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => sent - kept.length + i));
    expect(transcript.dropped).toBe((sent - kept.length) * 65_536);
  });
});
