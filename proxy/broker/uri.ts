/** Where a broker listens: the URI that flux-core's `local` connector takes, as in FLUX_URI. */

const SCHEME = "local://";

/** The longest path, which fits in `sun_path` of unix(7) with its NUL. libuv cuts a longer path short and connects elsewhere. */
const MAX_PATH_BYTES = 107;

/**
 * The socket path of a `local://PATH` URI. As in flux-core, PATH is taken as it stands, without percent
 * decoding.
 * @throws TypeError if `uri` is anything else
 */
export function parseBrokerUri(uri: string): string {
  const bad = (what: string) => new TypeError(`broker URI ${JSON.stringify(uri)} ${what}`);
  if (!uri.startsWith(SCHEME)) throw bad(`does not start with ${SCHEME}`);
  const path = uri.slice(SCHEME.length);
  if (!path.startsWith("/")) throw bad("has no absolute path");
  if (path.includes("\0")) throw bad("has a NUL in its path");
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw bad(`has a path of more than ${MAX_PATH_BYTES} bytes`);
  return path;
}
