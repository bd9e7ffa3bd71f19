/** What the form's text fields say. */

/**
 * The words of a command line, quoted as in a shell: '...', "..." and \. Nothing is expanded.
 * @throws SyntaxError for a quote that has no end
 */
export function words(text: string): string[] {
  const found: string[] = [];
  let word: string | undefined;
  const piece = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;
  while (piece.lastIndex < text.length) {
    const at = piece.lastIndex;
    const match = piece.exec(text);
    if (match === null) throw new SyntaxError(`no end of what begins with ${text.slice(at, at + 12)}`);
    const [, single, double, escaped, bare] = match;
    const part = single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? bare;
    if (part !== undefined) word = (word ?? "") + part;
    else if (word !== undefined) {
      found.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) found.push(word);
  return found;
}

/** Lines of NAME=VALUE; undefined if there is none. @throws SyntaxError */
export function environment(text: string): Record<string, string> | undefined {
  const entries = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line): [string, string] => {
      const at = line.indexOf("=");
      if (at < 1) throw new SyntaxError(`not NAME=VALUE: ${line}`);
      return [line.slice(0, at).trim(), line.slice(at + 1)];
    });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/**
 * The ranks of "all", "any" or a set such as "0-3,7".
 * @param place the rank of the broker that is spoken to, and how many brokers there are
 * @throws SyntaxError
 */
export function ranksOf(text: string, place: { rank: number; size: number }): number[] {
  const set = text.trim();
  if (set === "any") return [place.rank];
  const ranks = new Set<number>();
  for (const range of (set === "all" ? `0-${place.size - 1}` : set).split(",")) {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(range) ?? [];
    if (first === undefined || Number(first) > Number(last))
      throw new SyntaxError(`not a set of ranks such as 0-3,7: ${set || "nothing"}`);
    if (Number(last) >= place.size)
      throw new SyntaxError(`there is no rank ${last}: the last one is ${place.size - 1}`);
    for (let rank = Number(first); rank <= Number(last); rank++) ranks.add(rank);
  }
  return [...ranks].sort((a, b) => a - b);
}
