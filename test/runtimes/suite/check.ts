/** The assertions of the suite. */

/** Deep equality. The order of an object's members does not count, and bytes compare by value. */
export function equal(actual: unknown, expected: unknown): void {
  const [is, should] = [show(actual), show(expected)];
  if (is !== should) throw new Error(`got ${shorten(is)}, expected ${shorten(should)}`);
}

export function ok(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** @returns the reason with which a promise rejects */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`resolved to ${shorten(show(value))}, expected a rejection`);
}

/** @returns the error that a call throws */
export function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("returned, expected an error");
}

/** SHA-256 in the format of sha256sum(1). */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Random bytes. */
export function random(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  // getRandomValues fills at most 64 KiB.
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (part instanceof Uint8Array) return `bytes ${Array.from(part).join(" ")}`;
    if (part === undefined) return "undefined";
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const shorten = (text: string) => (text.length > 400 ? `${text.slice(0, 400)}...` : text);
