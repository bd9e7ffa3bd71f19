// Serves worker.mjs with miniflare, which is Cloudflare's runtime on this machine. See there.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * @param bindings take the place of those in wrangler.json, or come to them
 * @returns the Miniflare; `await ready` gives its URL
 */
export async function serve({ port, bindings }) {
  const { compatibility_date, compatibility_flags, vars } = JSON.parse(await readFile(here("wrangler.json")));
  const { outputFiles } = await build({
    entryPoints: [here("worker.mjs")],
    bundle: true,
    format: "esm",
    // As wrangler does.
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["browser", "module", "main"],
    write: false,
  });
  return new Miniflare({
    modules: true,
    script: outputFiles[0].text,
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    bindings: { ...vars, ...bindings },
    host: "127.0.0.1",
    port,
    // Nothing is fetched: miniflare asks Cloudflare for what `request.cf` has.
    cf: false,
  });
}

if (process.argv[1] === here("serve.mjs")) {
  const { FLUX_SUBPROCESS_URL, FLUX_SUBPROCESS_TOKEN, PORT = 8787 } = process.env;
  if (!FLUX_SUBPROCESS_URL || !FLUX_SUBPROCESS_TOKEN) {
    throw new Error("FLUX_SUBPROCESS_URL and FLUX_SUBPROCESS_TOKEN say where to connect to");
  }
  const worker = await serve({
    port: Number(PORT),
    bindings: { FLUX_SUBPROCESS_URL, FLUX_SUBPROCESS_TOKEN },
  });
  console.log(`curl -N ${await worker.ready}run/clock`);
}
