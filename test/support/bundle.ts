/** The client as an application's bundler makes it for a browser, of the sources or of the package as it is built. */
import { mkdtemp, rm } from "node:fs/promises";
import { type BuildOptions, build } from "esbuild";

export interface Bundle {
  text: string;
  /** The modules of which something is in it. */
  modules: string[];
}

/** @param from "./src/index.ts", or what {@link built} gives */
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

/** Builds the package in the manner of tsup.config.ts, for as long as `use` takes. */
export async function built<T>(use: (index: string) => Promise<T>): Promise<T> {
  // Where its imports find the packages.
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
