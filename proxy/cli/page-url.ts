/**
 * The dashboard's URL. A browser keeps the fragment to itself, so no server is sent the token.
 * @param url the proxy's
 */
export function pageUrl(url: string, token?: string): string {
  const page = new URL(url);
  page.protocol = "http";
  if (token !== undefined) page.hash = new URLSearchParams({ token }).toString();
  return page.href;
}
