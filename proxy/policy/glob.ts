/** Patterns of a token: `*` is any text, `?` any one character, all else itself. A match is of the whole text. */

/** Takes time in proportion to the text, for patterns of bounded length: nothing nests, nothing is tried twice over. */
export function matchesGlob(pattern: string, text: string): boolean {
  const wanted = [...pattern];
  const given = [...text];
  let at = 0;
  let p = 0;
  // Where to go on after the last "*" when what follows it did not fit: with one character more for the star.
  let star = -1;
  let starAt = 0;
  while (at < given.length) {
    if (wanted[p] === "*") {
      star = p++;
      starAt = at;
    } else if (p < wanted.length && (wanted[p] === "?" || wanted[p] === given[at])) {
      p++;
      at++;
    } else if (star >= 0) {
      p = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (wanted[p] === "*") p++;
  return p === wanted.length;
}

export function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, text));
}

/** Whether a pattern of an argv fits: argument by argument, a last "**" for any number of further ones. */
export function matchesCommand(pattern: readonly string[], argv: readonly string[]): boolean {
  const open = pattern.at(-1) === "**";
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? argv.length < fixed.length : argv.length !== fixed.length) return false;
  return fixed.every((glob, i) => matchesGlob(glob, argv[i] as string));
}
