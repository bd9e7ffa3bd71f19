import { defineConfig } from "tsup";

export default defineConfig([
  {
    // The client: for every runtime, so nothing of Node and nothing newer than its oldest browser.
    entry: { index: "src/index.ts" },
    format: ["esm", "cjs"],
    target: "es2022",
    platform: "neutral",
    dts: { tsconfig: "src/tsconfig.json" } as never,
    tsconfig: "src/tsconfig.json",
    clean: true,
  },
  {
    entry: { proxy: "proxy/index.ts", embedded: "proxy/embedded/index.ts" },
    format: ["esm", "cjs"],
    target: "node20",
    dts: true,
  },
  {
    entry: { main: "proxy/main.ts" },
    format: ["esm"],
    target: "node20",
    banner: { js: "#!/usr/bin/env node" },
  },
]);
