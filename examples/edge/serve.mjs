// Serves worker.mjs with miniflare, which runs Cloudflare's runtime locally. worker.mjs has the commands.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * @param bindings added to those of wrangler.json, which they override
 * @returns the Miniflare instance; its `ready` resolves to its URL
 */
export async function serve({ port, bindings }) {
  const { compatibility_date, compatibility_flags, vars } = JSON.parse(await readFile(here("wrangler.json")));
  const { outputFiles } = await build({
    entryPoints: [here("worker.mjs")],
    bundle: true,
    format: "esm",
    // Wrangler's own conditions.
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
    // Otherwise miniflare fetches the data of `request.cf` from Cloudflare.
    cf: false,
  });
}

if (process.argv[1] === here("serve.mjs")) {
  const { FLUX_SUBPROCESS_URL, FLUX_SUBPROCESS_TOKEN, PORT = 8787 } = process.env;
  if (!FLUX_SUBPROCESS_URL || !FLUX_SUBPROCESS_TOKEN) {
    throw new Error("FLUX_SUBPROCESS_URL and FLUX_SUBPROCESS_TOKEN must be set");
  }
  const worker = await serve({
    port: Number(PORT),
    bindings: { FLUX_SUBPROCESS_URL, FLUX_SUBPROCESS_TOKEN },
  });
  console.log(`curl -N ${await worker.ready}run/clock`);
}
