/**
 * Lets Node run the TypeScript of this repository, in this process and in those that it forks:
 * `node --import ./test/support/typescript.mjs FILE`.
 */
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);
