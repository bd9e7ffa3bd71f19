/** The private directory that the sockets are in. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** unix(7) sun_path, less its NUL. */
const PATH_LIMIT = 107;

/**
 * Makes a directory that only its owner can enter, for the sockets of `size` ranks.
 * @param parent where; the system's temporary directory by default
 * @throws RangeError if a socket's path would be longer than a UNIX socket's may be
 */
export function createRunDirectory(size: number, parent = tmpdir()): string {
  const longest = join(parent, "flux-XXXXXX", `local-${size - 1}`);
  if (Buffer.byteLength(longest) > PATH_LIMIT) {
    throw new RangeError(
      `dir is too long: a socket ${longest} is over the ${PATH_LIMIT} bytes of a UNIX socket's path`,
    );
  }
  return mkdtempSync(join(parent, "flux-")); // mode 0700, as mkdtemp(3) makes them
}

/** Removes it with all that is in it. */
export function removeRunDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
