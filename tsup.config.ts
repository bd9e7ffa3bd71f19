import { defineConfig } from "tsup";

const entry = { index: "src/index.ts", proxy: "proxy/index.ts", embedded: "proxy/embedded/index.ts" };
const dts = {
  entry,
  // What a declaration needs of the language and not every user's `lib` has.
  banner: '/// <reference lib="esnext.disposable" />',
  // tsup's declaration build sets baseUrl, which TypeScript 6 wants to hear an excuse for.
  compilerOptions: { ignoreDeprecations: "6.0" },
};

export default defineConfig([
  // One build for the ES modules, so that they share their parts: a FluxError is the same class in each.
  { entry, format: "esm", target: "es2022", dts },
  { entry, format: "cjs", target: "es2022", dts },
  // The command on its own: what it needs of the client must not shape the client's files.
  { entry: { main: "proxy/main.ts" }, format: "esm", target: "es2022" },
]);
