/** Parses the form's text fields. */

/**
 * The words of a command line, quoted as in a shell: '...', "..." and \. Nothing is expanded.
 * @throws SyntaxError if a quote does not end
 */
export function words(text: string): string[] {
  const list: string[] = [];
  let word: string | undefined;
  const piece = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;
  while (piece.lastIndex < text.length) {
    const at = piece.lastIndex;
    const match = piece.exec(text);
    if (match === null) throw new SyntaxError(`a quote does not end: ${text.slice(at, at + 12)}`);
    const [, single, double, escaped, bare] = match;
    const part = single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? bare;
    if (part !== undefined) word = (word ?? "") + part;
    else if (word !== undefined) {
      list.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) list.push(word);
  return list;
}

/** Parses lines of NAME=VALUE; undefined if `text` is blank. @throws SyntaxError for another line */
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
 * @param instance the rank of the proxy's broker, and the number of brokers
 * @throws SyntaxError if `text` is not such a set, or a rank is too high
 */
export function ranksOf(text: string, instance: { rank: number; size: number }): number[] {
  const set = text.trim();
  if (set === "any") return [instance.rank];
  const ranks = new Set<number>();
  for (const range of (set === "all" ? `0-${instance.size - 1}` : set).split(",")) {
    const [, first, last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(range) ?? [];
    if (first === undefined || Number(first) > Number(last))
      throw new SyntaxError(`not a set of ranks such as 0-3,7: ${set || "nothing"}`);
    if (Number(last) >= instance.size)
      throw new SyntaxError(`there is no rank ${last}: the last one is ${instance.size - 1}`);
    for (let rank = Number(first); rank <= Number(last); rank++) ranks.add(rank);
  }
  return [...ranks].sort((a, b) => a - b);
}
