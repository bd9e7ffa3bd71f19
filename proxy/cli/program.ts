/** The tree of commands. Each command has a file of its own. */
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { addAttach } from "./attach.js";
import { addDemo } from "./demo.js";
import { complain, USAGE } from "./errors.js";
import { addExec } from "./exec.js";
import { addKeygen } from "./keygen.js";
import { addKill } from "./kill.js";
import { addProxy } from "./proxy.js";
import { addPs } from "./ps.js";
import { addToken } from "./token.js";
import { addWait } from "./wait.js";

// By the package's own name, since the built file has another directory than this one.
const { version } = createRequire(import.meta.url)("flux-subprocess/package.json") as { version: string };

/** Adds a command to the program. `end` takes the exit code of its action. */
type AddCommand = (program: Command, end: (code: number) => void) => void;

const COMMANDS: readonly AddCommand[] = [
  addExec,
  addPs,
  addKill,
  addWait,
  addAttach,
  addProxy,
  addKeygen,
  addToken,
  addDemo,
];

/** Runs the command line. An error is one line on stderr. @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command("flux-subprocess")
    .description("Run processes on a Flux instance through a proxy, and run the proxy.")
    .version(version)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "flux-subprocess: ")) });
  for (const add of COMMANDS) {
    add(program, (result) => {
      code = result;
    });
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    // Commander has reported the error. Help is not an error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    return complain(program.args[0], error);
  }
}
