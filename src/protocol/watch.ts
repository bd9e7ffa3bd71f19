/** The payloads of a watch's responses. PROTOCOL.md, "Watching". */

/** A process in the answer to an RFC 42 list. */
export interface ListedProcess {
  /** The process id. */
  pid: number;
  /** The first word of its command. */
  cmd: string;
  /** Its label, or "". */
  label: string;
  /** "R" if it runs, "Z" if it has ended and its status was not taken. */
  state: string;
}

/** The changes of a rank since its last message. The first one, and the first after a failure, has all processes of the rank. */
export interface TableDifference {
  /** The rank that has answered. */
  rank: number;
  /** The processes that are new or have changed. */
  procs: readonly ListedProcess[];
  /** The pids of processes that are gone. */
  gone: readonly number[];
}

/** The failure of a rank. The proxy polls it again, and its processes are not known until it answers. */
export interface TableFailure {
  /** A Linux errno. */
  errno: number;
  /** The broker's text, or "". */
  message: string;
}
