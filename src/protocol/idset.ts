/** RFC 22 idsets: "0-3,7", "[0-3,7]". */

/** The largest id: ranks are u32 on the wire and 0xffffffff is "any". */
const MAX_ID = 0xfffffffe;

/** How many ids one set may have, so that "0-4294967294" cannot take all memory. */
export const MAX_IDS = 65_536;

/**
 * The ids of an RFC 22 idset, ascending.
 * @throws TypeError if `text` is no idset, has ids out of order or twice, or more than {@link MAX_IDS}
 */
export function decodeIdset(text: string): number[] {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  const ids: number[] = [];
  if (bare === "") return ids;
  for (const range of bare.split(",")) {
    const [, from, to = from] = /^(0|[1-9]\d*)(?:-(0|[1-9]\d*))?$/.exec(range) ?? [];
    const [first, last] = [Number(from), Number(to)];
    // What is no range at all is NaN, which is in no order.
    const ascending = first > (ids.at(-1) ?? -1) && (last > first || range === from) && last <= MAX_ID;
    if (!ascending) throw new TypeError(`not an idset in ascending order: ${JSON.stringify(text)}`);
    if (ids.length + (last - first) >= MAX_IDS) throw new TypeError(`idset has more than ${MAX_IDS} ids`);
    for (let id = first; id <= last; id++) ids.push(id);
  }
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
