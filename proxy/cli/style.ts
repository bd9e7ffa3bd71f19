/** Colour on a terminal. */
import { stripVTControlCharacters } from "node:util";

/** Colours of a terminal; plain text elsewhere. */
export interface Style {
  readonly enabled: boolean;
  title(text: string): string;
  code(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  /** The text without any colour. */
  strip(text: string): string;
}

/** The style for a stream: plain if it is not a terminal, or the user has set NO_COLOR (no-color.org). */
export function styleFor(stream: { isTTY?: boolean }): Style {
  const enabled = stream.isTTY === true && !process.env["NO_COLOR"];
  const paint = (code: number) => (text: string) => (enabled ? `\x1b[${code}m${text}\x1b[0m` : text);
  return {
    enabled,
    title: paint(1),
    code: paint(36),
    good: paint(32),
    bad: paint(31),
    strip: stripVTControlCharacters,
  };
}
