/** The options in a command object's `opts` that libsubprocess has (util.c). */
import { FluxError } from "../../src/errors.js";
import { ChunkSplitter, LineSplitter, type Splitter } from "./output.js";

const DEFAULT_BUFFER_SIZE = 4 * 1024 * 1024;
const INT_MAX = 2 ** 31 - 1;
const SCALE = new Map(
  [...["", "k", "M", "G", "T", "P", "E"].entries()].map(([i, suffix]) => [suffix, 1024 ** i]),
);
SCALE.set("K", 1024);

/** The buffer size of a stream, from its option `NAME_BUFSIZE`. @throws FluxError if the option is invalid */
export function bufferSize(opts: ReadonlyMap<string, string>, name: string): number {
  const option = opts.get(`${name}_BUFSIZE`);
  if (option === undefined) return DEFAULT_BUFFER_SIZE;
  const size = parseSize(option);
  if (size === undefined || size === 0) throw new FluxError("EINVAL");
  if (size > INT_MAX) throw new FluxError("EOVERFLOW");
  return size;
}

/** How a stream's output is cut, from its option `NAME_LINE_BUFFER`. @throws FluxError if an option is invalid */
export function splitter(opts: ReadonlyMap<string, string>, name: string): Splitter {
  const size = bufferSize(opts, name);
  switch (opts.get(`${name}_LINE_BUFFER`)?.toLowerCase()) {
    case undefined:
    case "true":
      return new LineSplitter(size);
    case "false":
      return new ChunkSplitter(size);
    default:
      throw new FluxError("EINVAL");
  }
}

/** A number with an optional binary suffix, such as "64k" or "1.5M". */
function parseSize(text: string): number | undefined {
  const match =
    /^\s*\+?(0x[0-9a-f]+|0[0-7]+(?=[kKMGTPE]?$)|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([kKMGTPE]?)$/i.exec(text);
  const scale = SCALE.get(match?.[2] ?? "");
  if (match?.[1] === undefined || scale === undefined) return undefined;
  const number = /^0[0-7]+$/.test(match[1]) ? Number.parseInt(match[1], 8) : Number(match[1]);
  return Math.floor(number * scale);
}
