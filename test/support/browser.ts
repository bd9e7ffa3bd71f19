/** A headless Chromium that comes whole from npm: no system package, nothing downloaded at run time. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";

const cache = fileURLToPath(new URL("../../node_modules/.cache/chromium", import.meta.url));

export async function launchBrowser(): Promise<Browser> {
  const { executablePath, libraries } = await unpack();
  return chromium.launch({
    executablePath,
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"],
    env: { ...process.env, LD_LIBRARY_PATH: libraries } as Record<string, string>,
  });
}

/**
 * The package unpacks into the temporary directory, and brings the libraries of the browser along only where it takes
 * the machine for a cloud function. So for this call it is told that it is one, with a directory of ours.
 */
export async function unpack(): Promise<{ executablePath: string; libraries: string }> {
  mkdirSync(cache, { recursive: true });
  const before = { ...process.env };
  Object.assign(process.env, { TMPDIR: cache, AWS_LAMBDA_JS_RUNTIME: "nodejs20.x" });
  try {
    const { default: packaged } = await import("@sparticuz/chromium");
    const executablePath = await packaged.executablePath();
    return { executablePath, libraries: `${cache}/al2023/lib` };
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
