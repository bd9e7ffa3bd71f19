/** Bundles the client for a browser as an application does, from the sources or from the built package. */
import { mkdtemp, rm } from "node:fs/promises";
import { type BuildOptions, build } from "esbuild";

export interface Bundle {
  text: string;
  /** The modules with bytes in the bundle. */
  modules: string[];
}

/** @param from "./src/index.ts", or the path from {@link built} */
export async function bundle(
  exports: string,
  from = "./src/index.ts",
  options: BuildOptions = {},
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export ${exports} from ${JSON.stringify(from)};`, resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    ...options,
    metafile: true,
    write: false,
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {});
  return {
    text: outputFiles[0]?.text ?? "",
    modules: inputs.flatMap(([module, { bytesInOutput }]) => (bytesInOutput > 0 ? [module] : [])),
  };
}

/** Builds the package with tsup.config.ts's options. The build lasts until `use` settles. */
export async function built<T>(use: (index: string) => Promise<T>): Promise<T> {
  // Within node_modules, so that imports resolve.
  const outdir = await mkdtemp(`${process.cwd()}/node_modules/.built-`);
  try {
    await build({
      entryPoints: { index: "src/index.ts", proxy: "proxy/index.ts", embedded: "proxy/embedded/index.ts" },
      outdir,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      packages: "external",
      target: "es2022",
    });
    return await use(`${outdir}/index.js`);
  } finally {
    await rm(outdir, { recursive: true });
  }
}
