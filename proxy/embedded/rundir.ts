/** The private directory of the sockets. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** unix(7) sun_path, less its NUL. */
const PATH_LIMIT = 107;

/**
 * Makes a directory for the sockets of `size` ranks. Only its owner can enter it.
 * @param parent its parent directory; the system's temporary directory by default
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

/** Removes the directory with its contents. */
export function removeRunDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
