/** Numbers of Linux signals that are sent or recognized here (signal(7)). Flux runs on Linux, wherever its clients run. */
export enum SIGNUM {
  SIGKILL = 9,
  SIGTERM = 15,
  SIGCONT = 18,
  SIGSTOP = 19,
  SIGTSTP = 20,
  SIGTTIN = 21,
  SIGTTOU = 22,
}

/** Linux signals 1 to 31, in order; the same on x86_64 and aarch64. */
const SIGNALS = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCHLD",
  "SIGCONT",
  "SIGSTOP",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
] as const;

/** The name of a Linux signal, such as "SIGTERM". */
export type SignalName = (typeof SIGNALS)[number];

/**
 * The name of a Linux signal number.
 *
 * @param signum the number
 * @returns such as "SIGTERM"; "SIG34" for the number 34, which has no name
 *
 * @example
 * ```ts
 * console.log(signalName(15), signalName(34)); // SIGTERM SIG34
 * ```
 */
export function signalName(signum: number): string {
  return SIGNALS[signum - 1] ?? `SIG${signum}`;
}

/**
 * The number of a Linux signal, whatever the client's platform.
 *
 * @param signal a name, or a number, which is returned
 * @throws TypeError if no such signal exists
 *
 * @example
 * ```ts
 * console.log(signalNumber("SIGUSR1")); // 10
 * ```
 */
export function signalNumber(signal: number | SignalName): number {
  const signum = typeof signal === "number" ? signal : SIGNALS.indexOf(signal) + 1;
  if (!Number.isInteger(signum) || signum < 1 || signum > 64) {
    throw new TypeError(`not a signal: ${JSON.stringify(signal)}`);
  }
  return signum;
}
