/**
 * JSON (RFC 8259) with integers of any size. A Flux job id has 64 bits and a double holds 53, so an integer beyond 2^53 - 1 is a BigInt
 * here, and its digits in the text. PROTOCOL.md, "Connection".
 */

/** A text without this has no such integer. Written out, it lets V8 look at one character in eight. */
const MANY_DIGITS = new RegExp("\\d".repeat(16));

/** A number outside of a string. The colon of a key is taken along: a key that is not a string must stay an error. */
const NUMBER = /-?\d[\d.eE+-]*(\s*:)?/g;

/** An integer that may be too large for a double. The time of BigInt grows faster than its digits, so there is a limit; Flux has 20. */
const INTEGER = /^-?[1-9]\d{15,31}$/;

const COLON = /\s*:/y;

/** While a text is changed, a string that stands for an integer begins with the first of these, any other that may look so with the second. */
const DIGITS = "#";
const TEXT = "$";

/**
 * Parses JSON. An integer beyond ±(2^53 - 1), of up to 32 digits, becomes a BigInt; all else is as in `JSON.parse`.
 * @throws SyntaxError if `text` is not JSON; RangeError if it is nested thousands deep
 */
export function parseJson(text: string): unknown {
  if (!MANY_DIGITS.test(text)) return JSON.parse(text);
  let found = false;
  const number = (token: string) => {
    if (!INTEGER.test(token) || Number.isSafeInteger(Number(token))) return token;
    found = true;
    return `"${DIGITS}${token}"`;
  };
  const string = (literal: string) => (/^"[#$\\]/.test(literal) ? `"${TEXT}${literal.slice(1)}` : literal);
  const marked = mapTokens(text, (plain) => plain.replace(NUMBER, number), string);
  return found ? JSON.parse(marked, (_, value) => unmark(value)) : JSON.parse(text);
}

function unmark(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (value[0] === DIGITS) return BigInt(value.slice(1));
  return value[0] === TEXT ? value.slice(1) : value;
}

/** `value` as JSON, as `JSON.stringify` writes it; a BigInt as its digits. @throws TypeError for a circular structure; RangeError */
export function stringifyJson(value: object): string {
  // A program may have given BigInt a `toJSON`, which would make a string of the id.
  if (!("toJSON" in BigInt.prototype)) {
    try {
      return JSON.stringify(value);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  const marked = JSON.stringify(value, function (this: Record<string, unknown>, key, item) {
    const integer = this[key];
    if (typeof integer === "bigint") return `${DIGITS}${integer}`;
    return typeof item === "string" && /^[#$]/.test(item) ? `${TEXT}${item}` : item;
  });
  return mapTokens(
    marked,
    (plain) => plain,
    (literal) => {
      if (literal[1] === DIGITS) return literal.slice(2, -1);
      return literal[1] === TEXT ? `"${literal.slice(2)}` : literal;
    },
  );
}

/** Changes the parts of a JSON text: what is outside of strings, and the strings that are values. Keys stay. Linear in the text. */
function mapTokens(
  text: string,
  between: (plain: string) => string,
  string: (literal: string) => string,
): string {
  const parts: string[] = [];
  for (let at = 0; ; ) {
    const start = text.indexOf('"', at);
    if (start < 0) return parts.join("") + between(text.slice(at));
    const end = endOfString(text, start);
    const literal = text.slice(start, end);
    COLON.lastIndex = end;
    parts.push(between(text.slice(at, start)), COLON.test(text) ? literal : string(literal));
    at = end;
  }
}

/** The index after the string that begins at `start`. No regular expression: one takes its stack from a long string. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let escapes = quote;
    while (text[escapes - 1] === "\\") escapes--;
    if ((quote - escapes) % 2 === 0) return quote + 1;
  }
  return text.length;
}
