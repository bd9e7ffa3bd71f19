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

/** The name of a signal number: "SIGTERM" for 15, "SIG34" for a number that has none. */
export function signalName(signum: number): string {
  return SIGNALS[signum - 1] ?? `SIG${signum}`;
}

/** The number of a signal. @throws TypeError if there is no such signal */
export function signalNumber(signal: number | SignalName): number {
  const signum = typeof signal === "number" ? signal : SIGNALS.indexOf(signal) + 1;
  if (!Number.isInteger(signum) || signum < 1 || signum > 64) {
    throw new TypeError(`not a signal: ${JSON.stringify(signal)}`);
  }
  return signum;
}
