/** What the ranks of a watch send, each in the payload of a `response`. PROTOCOL.md, "Watching". */

/** A process in the answer to an RFC 42 list. */
export interface ListedProcess {
  pid: number;
  cmd: string;
  label: string;
  state: string;
}

/** What has changed of a rank since its last message; after none, or after a failure, all that it has. */
export interface TableDifference {
  /** The rank that has answered. */
  rank: number;
  /** The processes that are new, or not what they were. */
  procs: readonly ListedProcess[];
  /** The pids of those that are not there any more. */
  gone: readonly number[];
}

/** Why a rank does not tell what it has. It is asked on, and nothing is known of it until it answers. */
export interface TableFailure {
  /** A Linux errno. */
  errno: number;
  /** The broker's text, or "". */
  message: string;
}
