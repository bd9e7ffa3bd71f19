/** Compiles programs/*.ts as users with different libraries do, with a check of every declaration file. */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const { ModuleKind, ModuleResolutionKind, ScriptTarget } = ts;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

interface User {
  name: string;
  /** Programs by their new names: .mts is an ES module, .cts is CommonJS. */
  files: Readonly<Record<string, string>>;
  options: ts.CompilerOptions;
}

export const users: readonly User[] = [
  {
    name: "Node's types and not DOM's, in ES modules and CommonJS",
    files: {
      "types.mts": "types.ts",
      "types.cts": "types.ts",
      "servers.mts": "servers.ts",
      "servers.cts": "servers.ts",
    },
    options: {
      module: ModuleKind.NodeNext,
      lib: ["lib.es2022.d.ts"],
      types: ["node"],
      typeRoots: [here("../../node_modules/@types")],
    },
  },
  {
    name: "DOM's types and not Node's, for a bundler",
    files: { "types.ts": "types.ts" },
    options: {
      module: ModuleKind.ESNext,
      moduleResolution: ModuleResolutionKind.Bundler,
      lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
      types: [],
    },
  },
];

/** @returns the compiler's diagnostics */
export async function compile(dir: string, { files, options }: User): Promise<string[]> {
  for (const [name, program] of Object.entries(files)) {
    await copyFile(here(`programs/${program}`), join(dir, name));
  }
  const paths = Object.keys(files).map((name) => join(dir, name));
  const target = ScriptTarget.ES2022;
  const program = ts.createProgram(paths, { ...options, target, strict: true, noEmit: true });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
}
