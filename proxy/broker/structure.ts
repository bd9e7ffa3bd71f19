/**
 * The size and depth of a JSON text's value, counted before the text is parsed: an object takes a hundred bytes for a few of text, and
 * recursive code (JSON.stringify, JSON parsers of browsers) fails on values that are nested thousands deep.
 */

/** Levels of nesting. Flux's own payloads have no more than a dozen. */
const MAX_DEPTH = 256;

/** Values in one text, keys not counted. As objects they take up to some 80 MiB. */
const MAX_VALUES = 524_288;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Why a JSON text is not to be parsed, with the text as the subject; undefined if it may be. Reads each byte once at most; text that is not JSON gets some answer.
 * @param json UTF-8
 */
export function structureFault(json: Uint8Array): string | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case COMMA:
        values++;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        values++;
        depth++;
        if (depth > MAX_DEPTH) return `is nested more than ${MAX_DEPTH} deep`;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
    }
    if (values > MAX_VALUES) return `has more than ${MAX_VALUES} values`;
  }
  return undefined;
}

/** The index of the closing quote of the string that begins at `start`, or the length of the text without one. */
function endOfString(json: Uint8Array, start: number): number {
  // Process output is one long string. indexOf finds its end much faster than a loop over the bytes.
  for (let quote = json.indexOf(QUOTE, start + 1); quote >= 0; quote = json.indexOf(QUOTE, quote + 1)) {
    let escapes = quote;
    while (json[escapes - 1] === BACKSLASH) escapes--;
    if ((quote - escapes) % 2 === 0) return quote;
  }
  return json.length;
}
