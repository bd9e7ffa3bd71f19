import { defineConfig } from "tsup";

const entry = { index: "src/index.ts", proxy: "proxy/index.ts", embedded: "proxy/embedded/index.ts" };
const dts = {
  entry,
  // The declarations use AsyncDisposable, which the user's `lib` may lack.
  banner: '/// <reference lib="esnext.disposable" />',
  // stripInternal keeps names with `@internal` out of the published types. tsup sets baseUrl, which TypeScript 6 deprecates.
  compilerOptions: { ignoreDeprecations: "6.0", stripInternal: true },
};

/** Whose terms go along with what is bundled into the dashboard, as they demand. */
const bundled = [
  "@fontsource-variable/ibm-plex-sans/LICENSE",
  "@fontsource-variable/jetbrains-mono/LICENSE",
  "@xterm/addon-fit/LICENSE",
  "@xterm/xterm/LICENSE",
  "isomorphic-ws/LICENSE",
  "lit-html/LICENSE",
  "rxjs/LICENSE.txt",
];
const licenses = Object.fromEntries(
  bundled.map((file) => [`licenses/${file.replace(/\/LICENSE.*/, "")}`, `node_modules/${file}`]),
);

export default defineConfig([
  // One build for the ES modules, so that they share their parts: a FluxError is the same class in each.
  { entry, format: "esm", target: "es2022", dts },
  // The proxy looks for the dashboard beside itself: import.meta.url, for which CommonJS needs the shim.
  { entry, format: "cjs", target: "es2022", dts, shims: true },
  // Deno has a WebSocket. The package ws, which isomorphic-ws brings to it, would need `--allow-env`.
  {
    entry: { deno: "src/index.ts" },
    format: "esm",
    target: "es2022",
    noExternal: ["isomorphic-ws"],
    esbuildPlugins: [
      {
        name: "global-websocket",
        setup(build) {
          build.onResolve({ filter: /^isomorphic-ws$/ }, ({ path }) => ({ path, namespace: "global" }));
          build.onLoad({ filter: /./, namespace: "global" }, () => ({
            contents: "export default WebSocket",
          }));
        },
      },
    ],
  },
  // The command on its own: what it needs of the client must not shape the client's files.
  { entry: { main: "proxy/main.ts" }, format: "esm", target: "es2022" },
  // A page of files for a browser. All that it needs is in it.
  {
    entry: {
      dashboard: "examples/dashboard/main.ts",
      index: "examples/dashboard/index.html",
      icon: "examples/dashboard/icon.svg",
      ...licenses,
    },
    outDir: "dist/dashboard",
    format: "esm",
    platform: "browser",
    target: "es2022",
    noExternal: [/./],
    minify: true,
    splitting: false,
    loader: { ".html": "copy", ".woff2": "file", ".svg": "copy", ".txt": "copy", "": "copy" },
    esbuildOptions(options) {
      options.assetNames = "[name]";
      options.legalComments = "eof";
    },
  },
]);
