/** Options of calls: an unknown name or a value of a wrong type is a TypeError in words, not an option without effect. */
import { type Check, demand, isObject, optional } from "./checks.js";

/** A check for each option of `T`: the compiler refuses a table that lacks one or has another. */
export type OptionChecks<T> = { readonly [Name in keyof T]-?: Check };

/** The check of an option that is checked where it is used. */
export const unchecked: Check = () => false;

type Names<Tables> = Tables extends unknown ? keyof Tables : never;

/** `never` unless the names of `Tables` are those of `T`. */
type Complete<T, Tables> = [
  Exclude<Names<T>, Names<Tables>>,
  Exclude<Names<Tables>, Names<T>>,
] extends readonly [never, never]
  ? unknown
  : never;

/**
 * Checks the options of a call.
 * @param verb the name of the call, for the message
 * @param tables together they have each option of `T`, and no other
 * @throws TypeError naming the option, and the option that was probably meant
 */
export function checkOptions<T extends object, Tables extends readonly object[]>(
  verb: string,
  options: T,
  ...tables: Tables & Complete<T, Tables[number]>
): void {
  if (!isObject(options)) throw new TypeError(`the options of ${verb} are not an object`);
  const checks = new Map<string, Check>(tables.flatMap(Object.entries));
  for (const [name, value] of Object.entries(options)) {
    const check = checks.get(name);
    if (check === undefined) {
      const near = nearest(name, [...checks.keys()]);
      throw new TypeError(
        `unknown option ${JSON.stringify(name)} of ${verb}${near ? `; did you mean "${near}"?` : ""}`,
      );
    }
    demand(name, value, (given) => optional(given, check));
  }
}

/** The word that `name` is a misspelling of, in which at most two in five characters differ, or a part of. Case does not matter. */
function nearest(name: string, words: readonly string[]): string | undefined {
  const given = name.toLowerCase();
  let least = 0.4;
  let found: string | undefined;
  for (const word of words) {
    const known = word.toLowerCase();
    const part = distance(given, known) / Math.max(given.length, known.length);
    if (part > least && (found || given.length < 4 || !known.includes(given))) continue;
    least = Math.min(part, least);
    found = word;
  }
  return found;
}

/** The number of characters to insert, remove or replace between two words (Levenshtein). */
function distance(from: string, to: string): number {
  let row = [...to, ""].map((_, i) => i);
  for (let i = 0; i < from.length; i++) {
    let corner = i;
    let left = i;
    row = row.map((above, j) => {
      left = Math.min(left, above, j ? corner - +(from[i] === to[j - 1]) : left) + 1;
      corner = above;
      return left;
    });
  }
  return row[to.length] as number;
}
