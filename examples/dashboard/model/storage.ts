/** Stores the page's settings. If the browser forbids storage, they last until the page closes. */

/** @param storage such as `() => localStorage`: a function, since the name alone may throw */
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
