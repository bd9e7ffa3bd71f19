/**
 * Commands that env(1) starts: it adds variables to the server's environment, and fails if a directory does not exist, where Flux would
 * go to /tmp. The client makes such commands, and the proxy judges the command that they start.
 */

/** A command to be started. */
export interface Launch {
  /** The program and its arguments. */
  cmdline: readonly string[];
  /** The directory that must exist; undefined for the server's choice. */
  cwd?: string | undefined;
  /** The variables to add. */
  env: Readonly<Record<string, string>>;
}

/** The number of ways, as a power of two, to write the path of env(1). */
const SPELLINGS = 16;

/**
 * The path of env(1), in one of many spellings. Its messages begin with the path as it was given, so a message that begins with a random
 * spelling is not the program's, and not that of another launcher.
 */
export function launcherPath(random: number): string {
  let path = "/usr";
  for (let i = 0; i < SPELLINGS; i++) path += random & (1 << i) ? "/" : "/.";
  return `${path}/bin/env`;
}

/** True if env(1) can start a program of this name: it takes "NAME=VALUE" and "-" for something else. */
export function canLaunch(program: string): boolean {
  return program !== "-" && !program.includes("=");
}

/** The command line by which env(1) at `path` starts a command. */
export function launcherCommand({ cmdline, cwd, env }: Launch, path: string): string[] {
  const variables = Object.entries(env).map((variable) => variable.join("="));
  return [path, ...(cwd === undefined ? [] : ["-C", cwd]), "--", ...variables, ...cmdline];
}

const LAUNCHER = new RegExp(`^/usr(/\\.?){${SPELLINGS}}/bin/env$`);

/** The command that a command line of {@link launcherCommand} starts; undefined for any other command line. */
export function readLauncherCommand(words: readonly string[]): Launch | undefined {
  const [path = "", option, directory] = words;
  if (!LAUNCHER.test(path)) return undefined;
  const cwd = option === "-C" ? directory : undefined;
  const first = cwd === undefined ? 2 : 4;
  const program = words.findIndex((word, i) => i >= first && !word.includes("="));
  if (words[first - 1] !== "--" || program < 0) return undefined;
  const variables = words.slice(first, program).map((word) => word.split(/=(.*)/s, 2) as [string, string]);
  const launch = { cmdline: words.slice(program), cwd, env: Object.fromEntries(variables) };
  // No other reading of the same words is possible: they are those that this launch makes.
  const again = launcherCommand(launch, path);
  const exact = again.length === words.length && again.every((word, i) => word === words[i]);
  const valid = cwd !== "" && variables.every(([name]) => name !== "") && canLaunch(words[program] ?? "");
  return exact && valid && (cwd !== undefined || variables.length > 0) ? launch : undefined;
}
