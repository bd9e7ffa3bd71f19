/** Globs of a token: `*` matches any text, `?` any one character, any other character itself. A glob matches the whole text. */

/** The size of a word of state bits. */
const WORD = 32;

/**
 * True if a glob matches a text. Reads each character of the text once. The states that a pattern of m characters can be in are the
 * bits of ceil((m + 1) / 32) words, and a character costs one step for each word, whatever the pattern and the text are (Shift-And:
 * Baeza-Yates and Gonnet, CACM 35(10), 1992).
 * @param text characters: those of a string are its code points
 */
export function matchesGlob(pattern: string, text: Iterable<string>): boolean {
  const { length, literals, any, loops } = compile(pattern);
  // Bit i: the first i characters of the pattern match what was read.
  const states = new Uint32Array(any.length);
  states[0] = 1;
  for (const character of text) {
    const steps = literals.get(character) ?? any;
    let carry = 0;
    let alive = 0;
    for (let i = 0; i < states.length; i++) {
      const state = states[i] as number;
      const passing = state & (steps[i] as number);
      const next = (passing << 1) | carry | (state & (loops[i] as number));
      carry = passing >>> (WORD - 1);
      states[i] = next;
      alive |= next;
    }
    if (alive === 0) return false;
  }
  return ((states[length >>> 5] as number) & bit(length)) !== 0;
}

/** True if one of the globs matches a text. */
export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, text));
}

/** True if a command matches, argument by argument. A last "**" matches any number of further arguments. */
export function matchesCommand(pattern: readonly string[], argv: readonly string[]): boolean {
  const open = pattern.at(-1) === "**";
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? argv.length < fixed.length : argv.length !== fixed.length) return false;
  return fixed.every((glob, i) => matchesGlob(glob, argv[i] as string));
}

/** A pattern as bits, one for each character except the stars. A star is a loop at the character after it. */
interface Compiled {
  /** The number of characters without the stars. */
  length: number;
  /** By character, the states that it leads on from. */
  literals: ReadonlyMap<string, Uint32Array>;
  /** The states that every character leads on from. */
  any: Uint32Array;
  /** The states that every character leaves as they are. */
  loops: Uint32Array;
}

function compile(pattern: string): Compiled {
  const characters = [...pattern];
  const wanted = characters.filter((character) => character !== "*");
  const { length } = wanted;
  const words = (length >>> 5) + 1;
  const any = new Uint32Array(words);
  const loops = new Uint32Array(words);
  let state = 0;
  for (const character of characters) {
    if (character === "*") add(loops, state);
    else if (character === "?") add(any, state++);
    else state++;
  }
  const literals = new Map<string, Uint32Array>();
  for (const [i, character] of wanted.entries()) {
    if (character === "?") continue;
    const steps = literals.get(character) ?? any.slice();
    add(steps, i);
    literals.set(character, steps);
  }
  return { length, literals, any, loops };
}

function add(states: Uint32Array, state: number): void {
  const i = state >>> 5;
  states[i] = (states[i] as number) | bit(state);
}

/** The bit of a state in its word. */
const bit = (state: number) => 1 << (state & (WORD - 1));
