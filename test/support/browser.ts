/** A headless Chromium from npm alone, without system packages or downloads at run time. */
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
 * The package unpacks into the temporary directory. It includes the browser's libraries only if the machine looks like a cloud
 * function. So the environment says so during this call, and names a directory under node_modules.
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
