import { describe, expect, it } from "vitest";
import { bufferSize, splitter } from "../../../proxy/embedded/options.js";
import { ChunkSplitter, LineSplitter } from "../../../proxy/embedded/output.js";

const size = (value: string) => bufferSize(new Map([["x_BUFSIZE", value]]), "x");

// each compared with flux-core 0.88, by the first credit of a process with such a stdin_BUFSIZE
describe("NAME_BUFSIZE", () => {
  it.each([
    ["1.5k", 1536],
    ["0x10", 16],
    ["010", 8],
    ["08", 8],
    ["1e3", 1000],
    ["1K", 1024],
    [" 5", 5],
    [".5k", 512],
    ["1.9", 1],
    ["1G", 2 ** 30],
  ])("%j is %d", (value, bytes) => {
    expect(size(value)).toBe(bytes);
  });

  it.each(["", "0", "abc", "-1", "5 ", "1m", "k"])("%j is invalid", (value) => {
    expect(() => size(value)).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it.each(["3G", "20E"])("%j is too large", (value) => {
    expect(() => size(value)).toThrow(expect.objectContaining({ code: "EOVERFLOW" }));
  });

  it("is 4 MiB by default", () => {
    expect(bufferSize(new Map(), "x")).toBe(4194304);
  });
});

describe("NAME_LINE_BUFFER", () => {
  const cut = (value: string) => splitter(new Map([["x_LINE_BUFFER", value]]), "x");

  it("chooses lines or chunks", () => {
    expect(splitter(new Map(), "x")).toBeInstanceOf(LineSplitter);
    expect(cut("TRUE")).toBeInstanceOf(LineSplitter);
    expect(cut("false")).toBeInstanceOf(ChunkSplitter);
    expect(() => cut("no")).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });
});
