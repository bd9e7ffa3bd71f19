// Builds index.html, an Observable notebook, from node_modules alone. index.html has the commands.
import { fileURLToPath } from "node:url";
import { config, observable } from "@observablehq/notebook-kit/vite";
import { defineConfig } from "vite";

/** The parts of Notebook Kit's library that the cells use. Otherwise the page would load them from a CDN. */
const bundled = ["@observablehq/inputs", "@observablehq/plot", "htl"];

function fromNodeModules(names) {
  const address = new RegExp(
    `https://cdn\\.jsdelivr\\.net/npm/(${names.join("|")})(?:/\\+esm)?(?=["/])`,
    "g",
  );
  return {
    name: "from-node-modules",
    enforce: "pre",
    transform: (code) => ({ code: code.replaceAll(address, "$1"), map: null }),
  };
}

const csp = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self' ws: wss:",
  // Plot adds a style element to each plot, and Inputs uses style attributes.
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export default defineConfig({
  ...config(),
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [fromNodeModules(bundled), observable()],
  build: { outDir: "dist", emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  preview: {
    host: "127.0.0.1",
    headers: { "content-security-policy": csp, "referrer-policy": "no-referrer" },
  },
});
