/** Job ids: 64 bits (RFC 19), of which Flux uses 63, as a number or in the encoding F58. */

/** The digits of F58 are those of Bitcoin's base 58. */
const DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

const F58 = /^[ƒf]([1-9A-HJ-NP-Za-km-z]{1,11})$/;
const DECIMAL = /^\d{1,19}$/;
const HEX = /^0x[\da-f]{1,16}$/i;

/** Job ids are signed in Flux's JSON. */
const MAX = 2n ** 63n - 1n;

/** A job id: a BigInt, a safe integer, or text in F58 ("ƒ6sYx2X9", "f6sYx2X9"), decimal or hexadecimal ("0x...") form. */
export type JobId = bigint | number | string;

/** The number of a job id. @throws TypeError if it is not one */
export function jobNumber(id: JobId): bigint {
  const number = parse(typeof id === "string" ? id.trim() : id);
  if (number !== undefined && number >= 0n && number <= MAX) return number;
  throw new TypeError(`not a job id: ${typeof id === "string" ? JSON.stringify(id) : String(id)}`);
}

function parse(id: JobId): bigint | undefined {
  if (typeof id === "bigint") return id;
  if (typeof id === "number") return Number.isSafeInteger(id) ? BigInt(id) : undefined;
  if (typeof id !== "string") return undefined;
  if (DECIMAL.test(id) || HEX.test(id)) return BigInt(id);
  const digits = F58.exec(id)?.[1];
  return digits === undefined
    ? undefined
    : [...digits].reduce((sum, digit) => sum * 58n + BigInt(DIGITS.indexOf(digit)), 0n);
}

/**
 * A job id in F58, as Flux's tools print it.
 *
 * @param id the job
 * @returns such as "ƒ6sYx2X9"
 * @throws TypeError if `id` is not a job id
 *
 * @example
 * ```ts
 * console.log(f58(12353248690176n), f58("0x64")); // ƒ6bVwHXsM ƒ2j
 * ```
 */
export function f58(id: JobId): string {
  let digits = "";
  let rest = jobNumber(id);
  do {
    digits = DIGITS[Number(rest % 58n)] + digits;
    rest /= 58n;
  } while (rest > 0n);
  return `ƒ${digits}`;
}
