#!/usr/bin/env node
/** The command line: arguments in, exit code out. */
import { exitOnOutputError } from "./cli/output.js";
import { run } from "./cli/program.js";

exitOnOutputError();
// The program ends when nothing is left to do, not before: all output gets out.
process.exitCode = await run(process.argv.slice(2));
