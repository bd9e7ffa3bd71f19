/** A token in a file that only this user can read, for as long as this process lives. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @returns the file's path */
export function writeTokenFile(token: string): string {
  const directory = mkdtempSync(join(tmpdir(), "flux-subprocess-")); // mode 0700, as mkdtemp(3) makes them
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "token");
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return file;
}
