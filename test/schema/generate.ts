/** Makes the JSON Schema of the messages. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The file that `npm run schema` writes. */
export const SCHEMA_FILE = fileURLToPath(new URL("../../src/protocol/schema.json", import.meta.url));

/** @throws the errors of esbuild, if a table has a check that the schema knows nothing of */
export async function generateSchema(): Promise<object> {
  const { outputFiles } = await build({
    entryPoints: [`${here}schema.ts`],
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "silent",
    plugins: [
      {
        name: "stand-ins",
        setup({ onResolve }) {
          onResolve({ filter: /^\.\/(checks|shape)\.js$/ }, ({ path }) => ({
            path: here + path.replace(/\.js$/, ".ts"),
          }));
        },
      },
    ],
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
  const { schema } = await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`);
  return schema;
}
