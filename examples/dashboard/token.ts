/**
 * Takes the token out of the URL's fragment, `#token=...`, and the fragment out of the address bar and the history. The
 * token is in memory from here on, and nowhere else.
 */
export function tokenOfFragment(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
  return token || undefined;
}
