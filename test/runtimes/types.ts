/** Compiles programs/*.ts as users do: with each compiler, each way to find modules and each library, and every declaration file checked. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** From the oldest that the package promises to the newest. */
const compilers = {
  "TypeScript 5.6": here("node_modules/typescript-5.6/bin/tsc"),
  "this repository's TypeScript": here("../../node_modules/typescript/bin/tsc"),
  "TypeScript 7.0": here("node_modules/typescript-7.0/bin/tsc"),
};

const libraries = {
  "Node's types and not DOM's": {
    lib: ["es2022"],
    types: ["node"],
    typeRoots: [here("../../node_modules/@types")],
  },
  "DOM's types and not Node's": { lib: ["es2022", "dom"], types: [] },
};

/** Programs by their new names: .mts is an ES module, .cts is CommonJS. */
const resolutions = {
  nodenext: {
    module: "nodenext",
    files: { "types.mts": "types.ts", "types.cts": "types.ts" },
    servers: { "servers.mts": "servers.ts", "servers.cts": "servers.ts" },
  },
  bundler: {
    module: "esnext",
    files: { "types.ts": "types.ts" },
    servers: { "servers.ts": "servers.ts" },
  },
};

interface User {
  name: string;
  compiler: string;
  files: Readonly<Record<string, string>>;
  options: object;
}

export const users: readonly User[] = Object.entries(compilers).flatMap(([compiler, path]) =>
  Object.entries(resolutions).flatMap(([moduleResolution, { module, files, servers }]) =>
    Object.entries(libraries).map(([library, options]) => ({
      name: `${compiler}, ${moduleResolution}, ${library}`,
      compiler: path,
      files: { ...files, ...(options.types.length > 0 && servers) },
      options: { ...options, module, moduleResolution },
    })),
  ),
);

/** @returns what the compiler prints: nothing if all is well */
export async function compile(dir: string, { name, compiler, files, options }: User): Promise<string> {
  const own = join(dir, "users", name);
  await mkdir(own, { recursive: true });
  for (const [file, program] of Object.entries(files)) {
    await copyFile(here(`programs/${program}`), join(own, file));
  }
  const compilerOptions = {
    ...options,
    target: "es2022",
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  await writeFile(join(own, "tsconfig.json"), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  const run = promisify(execFile)(process.execPath, [compiler, "-p", own]);
  return run.then(
    ({ stdout }) => stdout,
    ({ stdout, message }) => stdout || message,
  );
}
