/** Formats entries for a terminal: one rank's bytes unchanged, or the lines of several ranks, each with its rank. */
import type { Entry } from "./transcript.js";

/** The SGR sequence of a rank's colour. */
export type RankColour = (rank: number) => string;

export interface Screen {
  show(entry: Entry): string | Uint8Array;
}

const RESET = "\x1b[0m";
const DIM = "\x1b[2m";
const RED = "\x1b[31m";
const NEWLINE = 10;

/** A line longer than this, in characters, is shown in pieces, so that `rest` has a bound. */
const LONGEST = 16 * 1024;

function aside(entry: Entry): string | undefined {
  if (entry.type === "input") return `${DIM}› ${entry.text}${RESET}\n`;
  if (entry.type !== "note") return undefined;
  const prefix = entry.rank === undefined ? "" : `rank ${entry.rank} `;
  return `${entry.bad ? RED : DIM}${prefix}${entry.text}${RESET}\n`;
}

/** One rank's output. Entries of other ranks are left out. */
export class RankScreen implements Screen {
  readonly #rank: number;
  #midLine = false;

  constructor(rank: number) {
    this.#rank = rank;
  }

  show(entry: Entry): string | Uint8Array {
    if ("rank" in entry && entry.rank !== undefined && entry.rank !== this.#rank) return "";
    const text = aside(entry);
    if (text !== undefined) {
      const before = this.#midLine ? `${RESET}\n` : "";
      this.#midLine = false;
      return before + text;
    }
    if (entry.type !== "output" || entry.data.length === 0) return "";
    this.#midLine = entry.data.at(-1) !== NEWLINE;
    return entry.data;
  }
}

/** The output of several ranks. A line is shown when it is complete, so that two ranks never share one. */
export class MergedScreen implements Screen {
  readonly #colour: RankColour;
  readonly #width: number;
  readonly #streams = new Map<string, { decoder: TextDecoder; rest: string }>();

  /** @param width the digits of the highest rank */
  constructor(colour: RankColour, width: number) {
    this.#colour = colour;
    this.#width = width;
  }

  show(entry: Entry): string {
    const text = aside(entry);
    if (text !== undefined) return text;
    if (entry.type !== "output" && entry.type !== "eof") return "";
    const key = `${entry.rank} ${entry.stream}`;
    const stream = this.#streams.get(key) ?? { decoder: new TextDecoder(), rest: "" };
    this.#streams.set(key, stream);
    const ended = entry.type === "eof";
    const decoded = ended ? stream.decoder.decode() : stream.decoder.decode(entry.data, { stream: true });
    const lines = (stream.rest + decoded).split(/\r?\n/);
    stream.rest = lines.pop() as string;
    if (stream.rest !== "" && (ended || stream.rest.length > LONGEST)) {
      lines.push(stream.rest);
      stream.rest = "";
    }
    const before = this.#before(entry.rank, entry.stream);
    return lines.map((line) => `${before}${line}${RESET}\n`).join("");
  }

  #before(rank: number, stream: string): string {
    const number = String(rank).padStart(this.#width);
    return `${this.#colour(rank)}${number} │${RESET} ${stream === "stdout" ? "" : RED}`;
  }
}
