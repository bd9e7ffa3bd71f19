/** A user of the package: a directory outside of this repository, in which the packed tarball is installed. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const exec = promisify(execFile);

export interface Consumer {
  dir: string;
  remove(): Promise<void>;
}

/**
 * Installs the build of `npm test`. npm downloads nothing: the dependencies are there already, in the versions of this
 * repository.
 */
export async function installConsumer(): Promise<Consumer> {
  const dir = await mkdtemp(join(tmpdir(), "flux-consumer-"));
  const npm = (cwd: string, ...args: string[]) => exec("npm", [...args, "--ignore-scripts"], { cwd });
  const { stdout } = await npm(root, "pack", "--json", "--pack-destination", dir);
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  for (const path of await productionPackages()) {
    await cp(join(root, path), join(dir, path), { recursive: true });
  }
  const manifest = { private: true, type: "module", dependencies: { "flux-subprocess": `file:${filename}` } };
  await writeFile(join(dir, "package.json"), JSON.stringify(manifest));
  await npm(dir, "install", "--offline", "--no-package-lock", "--no-audit", "--no-fund");
  await bundle(dir);
  return { dir, remove: () => rm(dir, { recursive: true }) };
}

/** The directories of the installed production dependencies. */
async function productionPackages(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional, devOptional }]) => path && !dev && !optional && !devOptional)
    .map(([path]) => path);
}

/** The suite, alone; and the programs that import it and the package by name. */
async function bundle(dir: string): Promise<void> {
  const suite = fileURLToPath(new URL("suite/suite.ts", import.meta.url));
  const common = { bundle: true, target: "es2022", logLevel: "error" } as const;
  await build({ ...common, entryPoints: [suite], format: "esm", outfile: join(dir, "suite.mjs") });
  await cp(fileURLToPath(new URL("programs", import.meta.url)), dir, { recursive: true });
  await Promise.all(
    [
      { name: "page", conditions: [] },
      { name: "worker", conditions: ["workerd", "worker", "browser"] },
    ].map(({ name, conditions }) =>
      build({
        ...common,
        absWorkingDir: dir,
        entryPoints: [join(dir, `${name}.mjs`)],
        format: "esm",
        platform: "browser",
        conditions,
        outfile: join(dir, `${name}.bundle.mjs`),
      }),
    ),
  );
}
