/**
 * Starts a process as libsubprocess's fork.c and posix_spawn.c do, as far as Node allows. Four differences remain: a new
 * process group is also a new session (setsid for setpgrp); every signal has its default disposition (under fork.c SIGPIPE
 * stays ignored, as it is in a Flux broker); the process inherits the descriptors that this process inherited without
 * close-on-exec; and a file without a format always runs under sh (posix_spawnp gives ENOEXEC).
 */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { FluxError, type FluxErrorCode } from "../../src/errors.js";
import { errorCode, strerror } from "../strerror.js";
import type { ServerCommand } from "./command.js";

/** RFC 42 `local_flags`. */
export const LOCAL_FLAG = { stdioFallthrough: 1, noSetpgrp: 2, forkExec: 4 } as const;
const LOCAL_FLAGS = LOCAL_FLAG.stdioFallthrough | LOCAL_FLAG.noSetpgrp | LOCAL_FLAG.forkExec;

/** The start of a process, beside its command. */
export interface LaunchOptions {
  localFlags: number;
  /** True if the server reads the stream. A stream that it does not read is closed to the process. */
  stdout: boolean;
  stderr: boolean;
}

/** A process that runs, or a `child` without a pid that will emit "error". */
export interface Launched {
  child: ChildProcess;
  /** Text for stderr, which the process in Flux writes there before its program starts. */
  complaint: string | undefined;
}

/** The first descriptor after stdio: the channels' numbers in the process. */
const FIRST_CHANNEL_FD = 3;

/**
 * Starts the process of a command, in whose environment it sets the descriptors of the channels.
 * @throws FluxError if a check before the start fails, Node's error if the start fails at once
 */
export function launch(command: ServerCommand, options: LaunchOptions): Launched {
  const [name = "", ...args] = command.cmdline;
  if (options.localFlags & ~LOCAL_FLAGS) throw new FluxError("EINVAL");
  if (name === "") throw new FluxError("ENOENT"); // execvp(3); Node has an error of its own
  command.channels.forEach((channel, i) => {
    command.env.delete(channel);
    command.env.set(channel, String(FIRST_CHANNEL_FD + i));
  });
  const directory = workingDirectory(command.cwd);
  const file = usesServerPath(command, options) ? searchPath(name) : name;
  // Writing to a descriptor that was opened for reading gives EBADF, like writing to a closed one; and a program
  // that opens a file does not get 1 or 2 for it.
  const unwritable = openSync("/dev/null", "r");
  try {
    const child = spawn(file, args, {
      argv0: name,
      cwd: directory.path,
      env: Object.fromEntries(command.env),
      detached: !(options.localFlags & LOCAL_FLAG.noSetpgrp),
      stdio: stdio(command, options, unwritable),
    });
    return { child, complaint: directory.complaint };
  } finally {
    closeSync(unwritable);
  }
}

function stdio(command: ServerCommand, options: LaunchOptions, unwritable: number): StdioOptions {
  const channels = command.channels.map(() => "pipe" as const);
  if (options.localFlags & LOCAL_FLAG.stdioFallthrough) return ["inherit", "inherit", "inherit", ...channels];
  return ["pipe", options.stdout ? "pipe" : unwritable, options.stderr ? "pipe" : unwritable, ...channels];
}

/** fork.c: a directory that the process cannot enter is not an error. */
function workingDirectory(cwd: string | undefined): {
  path: string | undefined;
  complaint: string | undefined;
} {
  if (cwd === undefined) return { path: undefined, complaint: undefined };
  const code = cannotEnter(cwd);
  if (code === undefined) return { path: cwd, complaint: undefined };
  const complaint = `Could not change dir to ${cwd}: ${strerror(code)}. Going to /tmp instead\n`;
  return { path: "/tmp", complaint };
}

function cannotEnter(path: string): FluxErrorCode | undefined {
  try {
    if (!statSync(path).isDirectory()) return "ENOTDIR";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}

/** local.c create_process: posix_spawnp(3) looks in the server's PATH, execvp(3) after fork in the command's. */
function usesServerPath(command: ServerCommand, options: LaunchOptions): boolean {
  const forks = command.cwd !== undefined || (options.localFlags & LOCAL_FLAG.forkExec) !== 0;
  return !forks && command.cmdline[0]?.includes("/") === false;
}

function searchPath(name: string): string {
  let code: FluxErrorCode = "ENOENT";
  for (const directory of (process.env["PATH"] ?? "/bin:/usr/bin").split(delimiter)) {
    const file = join(directory || ".", name);
    try {
      if (!statSync(file).isFile()) continue;
      accessSync(file, constants.X_OK);
      return file.includes("/") ? file : `./${file}`;
    } catch (error) {
      if (errorCode(error) === "EACCES") code = "EACCES";
    }
  }
  throw new FluxError(code);
}
