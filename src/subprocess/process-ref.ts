/** The names of a process: its pid or label, and its rank and service. */
import { demand, name, pid as pidCheck } from "../protocol/checks.js";
import { type OptionChecks, unchecked } from "../protocol/options.js";
import { rankNodeid } from "../request.js";
import { isSeveral, type Target, targetNodeid } from "./target.js";

/** A process on its rank, by pid or by label. */
export type PidOrLabel =
  | {
      /** The process id, 1 to 2147483647. It names a process of one rank only. */
      readonly pid: number;
      /** Not with `pid`. */
      readonly label?: undefined;
    }
  | {
      /** The label. */
      readonly label: string;
      /** Not with `label`. */
      readonly pid?: undefined;
    };

/** The place of a process. */
export interface ProcessPlace {
  /** The subprocess service. */
  readonly service: string;
  /** The broker rank. */
  readonly rank: number;
}

/** A {@link ProcessRef} by pid, as {@link rexecBg} gives it. */
export interface PidRef extends ProcessPlace {
  /** The process id. */
  readonly pid: number;
  /** Absent: the pid names the process. */
  readonly label?: undefined;
}

/**
 * Names one process: by pid or label, with its service and rank. {@link rexecBg} gives one, and `ref` of a {@link Subprocess} is one.
 * {@link kill}, {@link wait} and {@link attach} take it as their options, or as a part of them. It is plain data: it may be stored, and
 * used over another connection.
 *
 * @example
 * ```ts
 * const nap = await rexecBg(flux, ["sleep", "60"], { waitable: true, nodeid: 2 });
 * await kill(flux, { ...nap, signum: "SIGTERM" });
 * console.log(describeOutcome(await wait(flux, nap).getOutcome())); // was ended by SIGTERM
 * ```
 */
export type ProcessRef = ProcessPlace & PidOrLabel;

/** A process as the options of a verb name it. */
export type ProcessOptions = PidOrLabel & {
  /** The rank of a {@link ProcessRef}, in place of `nodeid`. */
  readonly rank?: number | undefined;
};

/** The checks of {@link ProcessOptions}. */
export const PROCESS_OPTIONS: OptionChecks<ProcessOptions> = {
  pid: unchecked,
  label: unchecked,
  rank: unchecked,
};

/** The RFC 42 fields that name a process. @throws TypeError if neither or both of pid and label are given, or one is not valid */
export function processFields({ pid, label }: { pid?: number | undefined; label?: string | undefined }): {
  pid: number;
  label?: string;
} {
  if (pid === undefined && label === undefined) throw new TypeError("one of pid and label must be given");
  if (pid !== undefined && label !== undefined) throw new TypeError("only one of pid and label may be given");
  if (pid === undefined) {
    demand("label", label, name);
    return { pid: -1, label: label as string };
  }
  demand("pid", pid, pidCheck);
  return { pid };
}

/** The ranks of a process. @throws TypeError if `rank` and `nodeid` differ, or a pid has several ranks */
export function processTarget({
  pid,
  rank,
  nodeid,
}: ProcessOptions & { nodeid?: Target | undefined }): Target {
  if (rank !== undefined && nodeid !== undefined && rankNodeid(rank) !== targetNodeid(nodeid)) {
    throw new TypeError(`rank is ${rank}, and nodeid is ${JSON.stringify(nodeid)}`);
  }
  const target = nodeid ?? rank ?? "any";
  if (pid !== undefined && isSeveral(target)) {
    throw new TypeError(
      `a pid names a process of one rank, and nodeid is ${JSON.stringify(target)}: use a label`,
    );
  }
  return target;
}
