/** `npm run schema`. */
import { writeFile } from "node:fs/promises";
import { generateSchema, SCHEMA_FILE } from "./generate.js";

await writeFile(SCHEMA_FILE, `${JSON.stringify(await generateSchema(), null, 2)}\n`);
