/** RFC 22 idsets: "0-3,7", "[0-3,7]". */

/** The largest id: ranks are u32 on the wire and 0xffffffff is "any". */
const MAX_ID = 0xfffffffe;

/** The maximum of ids in one set: "0-4294967294" must not take all memory. */
export const MAX_IDS = 65_536;

/** The first and the last id of a range. */
export type IdRange = readonly [first: number, last: number];

/**
 * The ids of an RFC 22 idset, ascending.
 * @throws TypeError if `text` is not an idset, has ids twice or out of order, or more than {@link MAX_IDS} ids
 */
export function decodeIdset(text: string): number[] {
  return expand(idsetRanges(text));
}

/** The ranges of an RFC 22 idset, ascending. @throws TypeError as {@link decodeIdset} */
export function idsetRanges(text: string): IdRange[] {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  const ranges: IdRange[] = [];
  if (bare === "") return ranges;
  let count = 0;
  let end = -1;
  for (const range of bare.split(",")) {
    const [, from, to = from] = /^(0|[1-9]\d*)(?:-(0|[1-9]\d*))?$/.exec(range) ?? [];
    const [first, last] = [Number(from), Number(to)];
    // A text that is not a range makes NaN, for which each comparison is false.
    const ascending = first > end && (last > first || range === from) && last <= MAX_ID;
    if (!ascending) throw new TypeError(`not an idset in ascending order: ${JSON.stringify(text)}`);
    count += last - first + 1;
    if (count > MAX_IDS) throw new TypeError(`idset has more than ${MAX_IDS} ids`);
    ranges.push([first, last]);
    end = last;
  }
  return ranges;
}

/** All ids of `ranges`. */
export function expand(ranges: readonly IdRange[]): number[] {
  const ids: number[] = [];
  for (const [first, last] of ranges) for (let id = first; id <= last; id++) ids.push(id);
  return ids;
}

/** The idset of ascending `ids`, in ranges where they are consecutive: `encodeIdset([0, 1, 2, 7])` is "0-2,7". */
export function encodeIdset(ids: readonly number[]): string {
  const ranges: string[] = [];
  for (let i = 0; i < ids.length; ) {
    let j = i;
    while (ids[j + 1] === (ids[j] as number) + 1) j++;
    ranges.push(i === j ? `${ids[i]}` : `${ids[i]}-${ids[j]}`);
    i = j + 1;
  }
  return ranges.join(",");
}
