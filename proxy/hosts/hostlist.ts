/** RFC 29 hostlists: "node[1-3]", "node1,node2", "n[005,4]-eth0". */

/** The longest name of a host: RFC 1035 section 2.3.4. Without a limit, a short text may stand for any number of bytes. */
const MAX_NAME = 255;

/** The most digits of a number: a double holds all integers of 15. */
const RANGE = /^(\d{1,15})(?:-(\d{1,15}))?$/;

/** A name, or a prefix with numbers in brackets and a suffix; then a comma or the end. */
const ELEMENT = /([^,[\]\s]*)(?:\[([\d,-]+)\]([^,[\]\s]*))?(?:,|$)/y;

/**
 * The names of an RFC 29 hostlist, in order. A name may occur more than once.
 * @param max the most names. The time and the memory are in proportion to it and to the length of `text`
 * @throws TypeError if `text` is not a hostlist, or has more names
 */
export function decodeHostlist(text: string, max: number): string[] {
  const names: string[] = [];
  const element = new RegExp(ELEMENT);
  const add = (name: string) => {
    if (name.length > MAX_NAME) throw new TypeError(`a hostlist has a name of over ${MAX_NAME} characters`);
    if (names.length === max) throw new TypeError(`a hostlist has over ${max} names`);
    names.push(name);
  };
  for (let elements = 0; element.lastIndex < text.length; elements++) {
    // An empty element is no name, but takes time.
    if (elements === max) throw new TypeError(`a hostlist has over ${max} names`);
    const [, prefix, numbers, suffix = ""] = element.exec(text) ?? [];
    if (prefix === undefined) throw new TypeError("not a hostlist");
    if (numbers === undefined) {
      if (prefix !== "") add(prefix);
      continue;
    }
    for (const range of numbers.split(",")) {
      const [, from, to = from] = RANGE.exec(range) ?? [];
      if (from === undefined || Number(from) > Number(to)) throw new TypeError("not a hostlist");
      // The first number of a range gives the number of digits of all.
      for (let number = Number(from); number <= Number(to); number++) {
        add(`${prefix}${String(number).padStart(from.length, "0")}${suffix}`);
      }
    }
  }
  return names;
}
