/** What the page remembers. A browser may forbid it; then it is forgotten. */

/** @param storage such as `() => localStorage`: to name it may throw already */
export function recall<T>(
  storage: () => Storage,
  key: string,
  is: (value: unknown) => value is T,
): T | undefined {
  try {
    const value: unknown = JSON.parse(storage().getItem(key) ?? "null");
    return is(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function remember(storage: () => Storage, key: string, value: unknown): void {
  try {
    storage().setItem(key, JSON.stringify(value));
  } catch {}
}
