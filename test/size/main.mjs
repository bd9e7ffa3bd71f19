/**
 * `npm run size`, second part: the bundle of `connect` and `exec` beside that of socket.io-client, made by the same command.
 * `npm run size -- --parts` also prints what each part of ours costs, as the table of docs/architecture.md.
 */
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const gzipped = (text) => gzipSync(text, { level: 9 }).length;
const kB = (bytes) => `${(bytes / 1000).toFixed(2)} kB`;

/** Bundles as an application does: minified, for browsers. @param options of esbuild */
async function bundle(contents, options = {}) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    write: false,
    ...options,
  });
  return outputFiles[0].text;
}

const OURS = 'export { connect, exec } from "./dist/index.js";';
const modern = { conditions: ["es2015", "module"] };
const sizes = {
  "connect + exec, with RxJS": gzipped(await bundle(OURS)),
  "the same, with RxJS's ES2015 build": gzipped(await bundle(OURS, modern)),
  "socket.io-client's io": gzipped(await bundle('export { io } from "socket.io-client";')),
};
const [ours, ours2015, theirs] = Object.values(sizes);
for (const [name, size] of Object.entries(sizes)) console.log(`${name.padEnd(36)} ${kB(size)}`);
console.log(
  `ratio: ${(ours / theirs).toFixed(3)}; ${(ours2015 / theirs).toFixed(3)} with RxJS's ES2015 build`,
);

/** The purpose of each module of a bundle, by its path: the first pattern that matches decides. */
const PARTS = [
  ["RxJS's Observable, in ES5", /^node_modules\/(rxjs|tslib)/],
  ["the session: numbered messages, replay, resume, backoff, one after another", /session\/(link|sessions|outgoing|ids|retry)|protocol\/(replay|sequence)/],
  ["the connection: token, proof, liveness, close codes", /session\/(proxy-connection|session-token|close)|protocol\/close-reason|transport|isomorphic-ws/],
  ["messages: their tables, the checks of each field, binary frames, idsets", /^src\/protocol\//],
  ["requests: one answer or many, ranks, errors of each", /session\/(session|client-call|latest)|^src\/(request|rpc|flux|connect)/],
  ["flow control: what is consumed, input under credit", /session\/(consumed|consumption|input-queue)/],
  ["errors: the names of Linux's errnos, `FluxError`", /^src\/errors/],
  ["`exec`: the command's checks, events and outcomes, input, signals, abort", /^src\//],
]; // biome-ignore format: one part a line

if (process.argv.includes("--parts")) {
  // A comment that the minifier keeps marks the beginning of each module.
  const marks = {
    name: "marks",
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.(ts|js|mjs)$/ }, async ({ path }) => {
        const text = (await readFile(path, "utf8")).replaceAll(/\/\*![\s\S]*?\*\//g, "");
        return {
          contents: `/*! module ${relative(root, path)} */\n${text}`,
          loader: path.endsWith(".ts") ? "ts" : "js",
        };
      }),
  };
  const marked = await bundle(OURS.replace("dist/index.js", "src/index.ts"), {
    legalComments: "inline",
    plugins: [marks],
  });
  const [, ...pieces] = marked.split(/\/\*! module (.*?) \*\/\n?/);
  const modules = pieces.flatMap((path, i) => (i % 2 === 0 ? [{ path, code: pieces[i + 1] }] : []));
  const partOf = ({ path }) => PARTS.find(([, pattern]) => pattern.test(path))?.[0];
  const size = (some) => gzipped(some.map(({ code }) => code).join(""));
  const rows = PARTS.map(([part]) => {
    const own = modules.filter((module) => partOf(module) === part);
    const minified = own.reduce((sum, { code }) => sum + code.length, 0);
    return { part, minified, saved: size(modules) - size(modules.filter((module) => !own.includes(module))) };
  });
  console.log("\n| part | minified | gzipped |\n| --- | ---: | ---: |");
  for (const { part, minified, saved } of rows) console.log(`| ${part} | ${kB(minified)} | ${kB(saved)} |`);
  const unknown = modules.filter((module) => module.code.length > 1 && partOf(module) === undefined);
  if (unknown.length > 0) throw new Error(`of no part: ${unknown.map(({ path }) => path)}`);
}
