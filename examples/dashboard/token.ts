/**
 * Reads the token from the URL's fragment, `#token=...`, and removes the fragment from the address bar and the history. From
 * then on the token is in memory only.
 */
export function tokenOfFragment(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  return token || undefined;
}
