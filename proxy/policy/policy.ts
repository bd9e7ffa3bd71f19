/**
 * What a token allows: one pure function per operation. A request needs the token's scope, if it has one, and one
 * of its details, if it has any, that allows it in every field. A token with neither allows nothing.
 */
import type { Overflow } from "../../src/protocol/messages.js";
import { SIGNUM } from "../../src/protocol/signals.js";
import type { Action, Detail, Permissions } from "../auth/permissions.js";
import type { Asked, Operation } from "./asked.js";
import { matchesAny, matchesCommand } from "./glob.js";
import { DEFAULT_TOPICS } from "./services.js";

/** What a decision depends on beside the token and the request. */
export interface Known {
  /** The client's userid. */
  readonly userid: number;
  /** How many processes the subject has, in all sessions. */
  readonly processes: number;
  /** Whether the session runs this process in the foreground now. */
  isForeground(service: string, rank: number, pid: number): boolean;
  /** The label of a process that the session has started or was shown. */
  labelOf(service: string, rank: number, pid: number): string | undefined;
}

export interface Allowed {
  readonly allowed: true;
  /** What the request must name in place of its pid, which may be another process's by now. */
  readonly label?: string;
  /** The globs of the labels that an answer may show. Absent: all. */
  readonly labels?: readonly string[];
}

export interface Denied {
  readonly allowed: false;
  /** "token does not allow OPERATION: FIELD", or "no token allows OPERATION: WHY". */
  readonly reason: string;
}

export type Verdict = Allowed | Denied;

/** The pid of a request that names a label. */
const NO_PID = -1;

/** A field of a detail, and whether it lets a request pass. */
type Check = readonly [field: string, passes: (detail: Detail) => boolean];

const POLICIES: Readonly<
  Record<Operation, (permissions: Permissions, asked: Asked, known: Known) => Verdict>
> = {
  exec: mayExec,
  attach: mayAttach,
  write: mayWrite,
  kill: mayKill,
  wait: mayWait,
  list: mayList,
  watch: mayWatch,
  rpc: mayRpc,
};

/** The decision on a request, whatever it is. */
export function judge(permissions: Permissions, asked: Asked, known: Known): Verdict {
  const { operation, forbidden, signer } = asked;
  if (forbidden !== undefined) return forbid(operation, forbidden);
  if (signer !== undefined && signer !== known.userid)
    return forbid(operation, "signature is of another user");
  // Input has messages of its own, whose bytes count.
  if (operation === "write") return forbid("write", "it is no request of its own");
  return POLICIES[operation](permissions, asked, known);
}

export function mayExec(permissions: Permissions, asked: Asked, known: Known): Verdict {
  const { label, argv = [], env = [], channels = [], opts = [], cwd } = asked;
  const count = known.processes + asked.ranks.length;
  return anyOf(permissions, asked, [
    ["labels", ({ labels }) => labels === undefined || (label !== undefined && matchesAny(labels, label))],
    [
      "commands",
      ({ commands }) => commands === undefined || commands.some((pattern) => matchesCommand(pattern, argv)),
    ],
    ["env", (detail) => allowsEnvironment(detail, env)],
    ["channels", (detail) => allowsEnvironment(detail, channels)],
    ["cwd", (detail) => allowsDirectory(detail, cwd)],
    ["opts", (detail) => allowsOptions(detail, opts, channels)],
    ["processes", ({ processes }) => processes === undefined || count <= processes],
  ]);
}

export function mayAttach(permissions: Permissions, asked: Asked, known: Known): Verdict {
  return onProcess(permissions, asked, known, []);
}

export function mayWait(permissions: Permissions, asked: Asked, known: Known): Verdict {
  return onProcess(permissions, asked, known, []);
}

/** Signals that end what a session runs in the foreground: what closing the session does to it anyway. */
const ENDING: ReadonlySet<number> = new Set([SIGNUM.SIGKILL, SIGNUM.SIGTERM]);

export function mayKill(permissions: Permissions, asked: Asked, known: Known): Verdict {
  const { signum = -1 } = asked;
  const verdict = onProcess(permissions, asked, known, [
    ["signals", ({ signals }) => signals === undefined || signals.has(signum)],
  ]);
  return verdict.allowed || !ENDING.has(signum) || !isOwn(asked, known) ? verdict : { allowed: true };
}

/** What the proxy sends to a process whose output is not taken: SIGSTOP and SIGCONT, or SIGKILL. */
const OVERFLOW_SIGNALS: Readonly<Record<Overflow, readonly number[]>> = {
  stop: [SIGNUM.SIGSTOP, SIGNUM.SIGCONT],
  gap: [],
  kill: [SIGNUM.SIGKILL],
};

/** What is to become of a process whose output is not taken. Whoever runs it may say; of any other, who may send signals. */
export function mayOverflow(
  permissions: Permissions,
  asked: Asked,
  known: Known,
  overflow: Overflow | undefined,
): Verdict {
  if (asked.operation !== "attach" || overflow === undefined) return { allowed: true };
  const verdicts = OVERFLOW_SIGNALS[overflow].map((signum) =>
    mayKill(permissions, { ...asked, operation: "kill", signum }, known),
  );
  return verdicts.find(({ allowed }) => !allowed) ?? { allowed: true };
}

/** Input for a process, as its exec was asked for. */
export function mayWrite(permissions: Permissions, exec: Asked): Verdict {
  const { label } = exec;
  return anyOf(permissions, { ...exec, operation: "write" }, [
    ["labels", ({ labels }) => labels === undefined || (label !== undefined && matchesAny(labels, label))],
  ]);
}

export function mayList(permissions: Permissions, asked: Asked): Verdict {
  const verdict = passingDetails(permissions, asked, []);
  if (!verdict.allowed) return verdict;
  const labels = verdict.details.map((detail) => detail.labels);
  if (labels.length === 0 || labels.includes(undefined)) return { allowed: true };
  return { allowed: true, labels: labels.flatMap((globs) => globs ?? []) };
}

/** Who may list may watch. */
export function mayWatch(permissions: Permissions, asked: Asked): Verdict {
  return mayList(permissions, { ...asked, operation: "list" });
}

export function mayRpc(permissions: Permissions, asked: Asked): Verdict {
  const reaches = ({ topics = DEFAULT_TOPICS }: Pick<Detail, "topics">) => matchesAny(topics, asked.topic);
  const verdict = passingDetails(permissions, asked, [["topics", reaches]]);
  if (!verdict.allowed) return verdict;
  // The scope alone does not name any.
  return verdict.details.length > 0 || reaches({}) ? { allowed: true } : deny("rpc", "topics");
}

/**
 * A process by its label, or by its pid where that cannot reach another's: a detail that is limited to labels
 * allows the pid of what the session runs now, and of what it knows the label of, which then takes the pid's place.
 * A request that the client has signed cannot be changed, so that it must be of the former.
 */
function onProcess(permissions: Permissions, asked: Asked, known: Known, checks: readonly Check[]): Verdict {
  const { label, pid = NO_PID, service, ranks, signer } = asked;
  const rank = ranks.length === 1 ? ranks[0] : undefined;
  const signed = signer !== undefined;
  const own = isOwn(asked, known);
  const found = rank !== undefined && !signed ? known.labelOf(service, rank, pid) : undefined;
  // A pid beside a label counts for nothing, so that there is no reason to sign one.
  const name = label === undefined ? found : signed && pid !== NO_PID ? undefined : label;
  const verdict = passingDetails(permissions, asked, [
    ...checks,
    [
      "labels",
      ({ labels }) => labels === undefined || own || (name !== undefined && matchesAny(labels, name)),
    ],
  ]);
  if (!verdict.allowed) return verdict;
  const limited = verdict.details.length > 0 && verdict.details.every(({ labels }) => labels !== undefined);
  return limited && !signed && name !== undefined ? { allowed: true, label: name } : { allowed: true };
}

/** Whether a request is for one process, by its pid, that the session runs in the foreground. */
function isOwn(
  { label, pid = NO_PID, service, ranks: [rank, ...more], unreadable }: Asked,
  known: Known,
): boolean {
  const one = rank !== undefined && more.length === 0 && label === undefined && unreadable === undefined;
  return one && known.isForeground(service, rank, pid);
}

function anyOf(permissions: Permissions, asked: Asked, checks: readonly Check[]): Verdict {
  const verdict = passingDetails(permissions, asked, checks);
  return verdict.allowed ? { allowed: true } : verdict;
}

/** The details that allow a request; none if the scope does so alone. */
function passingDetails(
  { scope, details }: Permissions,
  asked: Asked,
  checks: readonly Check[],
): { readonly allowed: true; readonly details: readonly Detail[] } | Denied {
  const { operation, service, ranks } = asked;
  if (scope === undefined && details === undefined) return deny(operation, "it has no permissions");
  if (scope !== undefined && !scope.has(operation)) return deny(operation, "scope");
  if (details === undefined) return { allowed: true, details: [] };
  // Where a field counts, what cannot be read cannot be compared.
  if (asked.unreadable !== undefined) return deny(operation, asked.unreadable);
  const all: Check[] = [
    ["actions", ({ actions }) => actions.has(operation satisfies Action)],
    ["services", ({ services }) => services === undefined || matchesAny(services, service)],
    ["ranks", (detail) => detail.ranks === undefined || ranks.every((rank) => detail.ranks?.has(rank))],
    ...checks,
  ];
  const failures = details.map((detail) => all.findIndex(([, passes]) => !passes(detail)));
  const passing = details.filter((_, i) => failures[i] === -1);
  if (passing.length > 0) return { allowed: true, details: passing };
  // Of the detail that came closest.
  return deny(operation, all[Math.max(...failures)]?.[0] ?? "actions");
}

/**
 * Names in an environment, those of channels included. A limit on commands is one on the environment too, unless that has its
 * own: LD_PRELOAD makes any command another. A name with "=" in it would set a variable of another name.
 */
function allowsEnvironment({ env, commands }: Detail, names: readonly string[]): boolean {
  if (env === undefined) return commands === undefined || names.length === 0;
  return names.every((name) => !name.includes("=") && matchesAny(env, name));
}

/**
 * A working directory. Many a program runs what it finds there, so that a limit on commands is one on this too, unless it has
 * its own. A glob's "*" matches "/", and so would match "..".
 */
function allowsDirectory({ cwd: globs, commands }: Detail, cwd: string | undefined): boolean {
  if (cwd === undefined) return true;
  if (globs === undefined) return commands === undefined;
  return cwd.startsWith("/") && !cwd.split("/").includes("..") && matchesAny(globs, cwd);
}

/** Names of options. How the streams of a process are cut into messages harms nobody; any other does what its server likes. */
function allowsOptions({ opts, commands }: Detail, names: readonly string[], channels: readonly string[]) {
  if (opts === undefined && commands === undefined) return true;
  const harmless = ["stdout", "stderr", ...channels].map((stream) => `${stream}_LINE_BUFFER`);
  return names.every((name) => harmless.includes(name) || matchesAny(opts ?? [], name));
}

/** No token allows it. */
export function forbid(operation: Operation, why: string): Denied {
  return { allowed: false, reason: `no token allows ${operation}: ${why}` };
}

function deny(operation: Operation, field: string): Denied {
  return { allowed: false, reason: `token does not allow ${operation}: ${field}` };
}
