/**
 * The rights of a token: one pure function for each operation. A request needs the token's scope, if it has one, and one
 * of its details, if it has any, that allows it in every field. A token with neither allows nothing.
 */
import type { Overflow } from "../../src/protocol/messages.js";
import { SIGNUM } from "../../src/protocol/signals.js";
import type { Action, Detail, Permissions } from "../auth/permissions.js";
import { matchesAny, matchesCommand } from "./glob.js";
import type { Operation, ParsedRequest } from "./parsed-request.js";
import { DEFAULT_TOPICS } from "./services.js";

/** The facts that a decision depends on beside the token and the request. */
export interface PolicyContext {
  /** The client's userid. */
  readonly userid: number;
  /** The number of the subject's processes, in all sessions. */
  readonly processCount: number;
  /** True if the session runs this process in the foreground. */
  isForeground(service: string, rank: number, pid: number): boolean;
  /** The label of a process that the session has started, or that a list has shown it. */
  labelOf(service: string, rank: number, pid: number): string | undefined;
}

/** The token allows the request. */
export interface Allowed {
  readonly allowed: true;
  /** The label that replaces the request's pid, since the pid may be another process's by now. */
  readonly label?: string;
  /** Globs of the labels that an answer may show; absent if it may show all. */
  readonly labels?: readonly string[];
}

/** The request is refused. */
export interface Denied {
  readonly allowed: false;
  /** "token does not allow OPERATION: FIELD", or "no token allows OPERATION: WHY". */
  readonly reason: string;
}

/** The decision on a request. */
export type Verdict = Allowed | Denied;

/** The pid of a request that names a label. */
const NO_PID = -1;

/** A field of a detail, and whether it allows the request. */
type Check = readonly [field: string, passes: (detail: Detail) => boolean];

const POLICIES: Readonly<
  Record<Operation, (permissions: Permissions, request: ParsedRequest, context: PolicyContext) => Verdict>
> = {
  exec: mayExec,
  attach: mayAttach,
  write: mayWrite,
  kill: mayKill,
  wait: mayWait,
  list: mayList,
  watch: mayWatch,
  rpc: mayRpc,
  stream: mayRpc,
  events: mayEvents,
};

/** Decides on a request of any operation. */
export function judge(permissions: Permissions, request: ParsedRequest, context: PolicyContext): Verdict {
  const { operation, forbidden, signer } = request;
  if (forbidden !== undefined) return forbid(operation, forbidden);
  if (signer !== undefined && signer !== context.userid)
    return forbid(operation, "signature is of another user");
  // Input has its own messages, whose bytes count against the credit.
  if (operation === "write") return forbid("write", "it is no request of its own");
  return POLICIES[operation](permissions, request, context);
}

/** Decides on an exec. */
export function mayExec(permissions: Permissions, request: ParsedRequest, context: PolicyContext): Verdict {
  const { label, argv = [], env = [], channels = [], opts = [], cwd } = request;
  const count = context.processCount + rankCount(request);
  return anyOf(permissions, request, [
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

/** Decides on an attach. */
export function mayAttach(permissions: Permissions, request: ParsedRequest, context: PolicyContext): Verdict {
  return onProcess(permissions, request, context, []);
}

/** Decides on a wait. */
export function mayWait(permissions: Permissions, request: ParsedRequest, context: PolicyContext): Verdict {
  return onProcess(permissions, request, context, []);
}

/** The signals that a session may always send to its own processes in the foreground: its end kills them anyway. */
const ENDING: ReadonlySet<number> = new Set([SIGNUM.SIGKILL, SIGNUM.SIGTERM]);

/** Decides on a kill. */
export function mayKill(permissions: Permissions, request: ParsedRequest, context: PolicyContext): Verdict {
  const { signum = -1 } = request;
  const verdict = onProcess(permissions, request, context, [
    ["signals", ({ signals }) => signals === undefined || signals.has(signum)],
  ]);
  return verdict.allowed || !ENDING.has(signum) || !isOwn(request, context) ? verdict : { allowed: true };
}

/** The proxy's signals to a process whose output is not consumed: SIGSTOP and SIGCONT, or SIGKILL. */
const OVERFLOW_SIGNALS: Readonly<Record<Overflow, readonly number[]>> = {
  stop: [SIGNUM.SIGSTOP, SIGNUM.SIGCONT],
  gap: [],
  kill: [SIGNUM.SIGKILL],
};

/** Decides on the overflow of a request. An exec may have any; an attach one whose signals the token allows. */
export function mayOverflow(
  permissions: Permissions,
  request: ParsedRequest,
  context: PolicyContext,
  overflow: Overflow | undefined,
): Verdict {
  if (request.operation !== "attach" || overflow === undefined) return { allowed: true };
  const verdicts = OVERFLOW_SIGNALS[overflow].map((signum) =>
    mayKill(permissions, { ...request, operation: "kill", signum }, context),
  );
  return verdicts.find(({ allowed }) => !allowed) ?? { allowed: true };
}

/** Decides on input for the process of an exec. */
export function mayWrite(permissions: Permissions, exec: ParsedRequest): Verdict {
  const { label } = exec;
  return anyOf(permissions, { ...exec, operation: "write" }, [
    ["labels", ({ labels }) => labels === undefined || (label !== undefined && matchesAny(labels, label))],
  ]);
}

/** Decides on a list. */
export function mayList(permissions: Permissions, request: ParsedRequest): Verdict {
  const verdict = passingDetails(permissions, request, []);
  if (!verdict.allowed) return verdict;
  const labels = verdict.details.map((detail) => detail.labels);
  if (labels.length === 0 || labels.includes(undefined)) return { allowed: true };
  return { allowed: true, labels: labels.flatMap((globs) => globs ?? []) };
}

/** Decides on a watch: it needs the right to list. */
export function mayWatch(permissions: Permissions, request: ParsedRequest): Verdict {
  return mayList(permissions, { ...request, operation: "list" });
}

/** Decides on a request to any other service, with one answer or with a stream of them. */
export function mayRpc(permissions: Permissions, request: ParsedRequest): Verdict {
  const reaches = ({ topics = DEFAULT_TOPICS }: Pick<Detail, "topics">) => matchesAny(topics, request.topic);
  const verdict = passingDetails(permissions, request, [["topics", reaches]]);
  if (!verdict.allowed) return verdict;
  // A scope names no topics.
  return verdict.details.length > 0 || reaches({}) ? { allowed: true } : deny(request.operation, "topics");
}

/** Decides on a subscription to events: all of their topics must begin with a prefix of the token. */
export function mayEvents(permissions: Permissions, request: ParsedRequest): Verdict {
  const { prefix = "" } = request;
  return anyOf(permissions, request, [
    [
      "prefixes",
      ({ prefixes }) => prefixes === undefined || prefixes.some((allowed) => prefix.startsWith(allowed)),
    ],
  ]);
}

/**
 * Decides on a request that names a process by label or pid. A detail with labels allows a pid only of a process that the session
 * runs in the foreground, or whose label it knows; the label then replaces the pid. A request that the client signed cannot be
 * changed, so its pid must be of the former.
 */
function onProcess(
  permissions: Permissions,
  request: ParsedRequest,
  context: PolicyContext,
  checks: readonly Check[],
): Verdict {
  const { label, pid = NO_PID, service, ranks, signer } = request;
  // No process runs on a rank that does not exist.
  const rank = rankCount(request) === 1 ? ranks[0] : undefined;
  const signed = signer !== undefined;
  const own = isOwn(request, context);
  const found = rank !== undefined && !signed ? context.labelOf(service, rank, pid) : undefined;
  // The server ignores a pid beside a label, so an honest client does not sign one.
  const name = label === undefined ? found : signed && pid !== NO_PID ? undefined : label;
  const verdict = passingDetails(permissions, request, [
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

/** True if a request names by pid one process that the session runs in the foreground. */
function isOwn(request: ParsedRequest, context: PolicyContext): boolean {
  const { label, pid = NO_PID, service, unreadable } = request;
  const [rank] = request.ranks;
  const one =
    rank !== undefined && rankCount(request) === 1 && label === undefined && unreadable === undefined;
  return one && context.isForeground(service, rank, pid);
}

function rankCount({ ranks, missing }: ParsedRequest): number {
  return missing.reduce((sum, [first, last]) => sum + last - first + 1, ranks.length);
}

function isWithin({ ranks, missing }: ParsedRequest, limit: NonNullable<Detail["ranks"]>): boolean {
  return ranks.every((rank) => limit.has(rank)) && missing.every((range) => limit.covers(range));
}

function anyOf(permissions: Permissions, request: ParsedRequest, checks: readonly Check[]): Verdict {
  const verdict = passingDetails(permissions, request, checks);
  return verdict.allowed ? { allowed: true } : verdict;
}

/** The details that allow a request; empty if the token has a scope alone. */
function passingDetails(
  { scope, details }: Permissions,
  request: ParsedRequest,
  checks: readonly Check[],
): { readonly allowed: true; readonly details: readonly Detail[] } | Denied {
  const { operation, service } = request;
  if (scope === undefined && details === undefined) return deny(operation, "it has no permissions");
  if (scope !== undefined && !scope.has(operation)) return deny(operation, "scope");
  if (details === undefined) return { allowed: true, details: [] };
  // An unreadable field cannot be compared.
  if (request.unreadable !== undefined) return deny(operation, request.unreadable);
  const all: Check[] = [
    ["actions", ({ actions }) => actions.has(operation satisfies Action)],
    ["services", ({ services }) => services === undefined || matchesAny(services, service)],
    ["ranks", ({ ranks }) => ranks === undefined || isWithin(request, ranks)],
    ...checks,
  ];
  const failures = details.map((detail) => all.findIndex(([, passes]) => !passes(detail)));
  const passing = details.filter((_, i) => failures[i] === -1);
  if (passing.length > 0) return { allowed: true, details: passing };
  // The reason names the field at which the best detail fails.
  return deny(operation, all[Math.max(...failures)]?.[0] ?? "actions");
}

/**
 * True if a detail allows these names of variables or channels. A detail with `commands` and without `env` allows no variable, since
 * LD_PRELOAD turns any command into another. A name with "=" would set a variable of another name.
 */
function allowsEnvironment({ env, commands }: Detail, names: readonly string[]): boolean {
  if (env === undefined) return commands === undefined || names.length === 0;
  return names.every((name) => !name.includes("=") && matchesAny(env, name));
}

/**
 * True if a detail allows a working directory. A detail with `commands` and without `cwd` allows no directory, since many programs
 * run files that they find there. The "*" of a glob matches "/", and so would match "..".
 */
function allowsDirectory({ cwd: globs, commands }: Detail, cwd: string | undefined): boolean {
  if (cwd === undefined) return true;
  if (globs === undefined) return commands === undefined;
  return cwd.startsWith("/") && !cwd.split("/").includes("..") && matchesAny(globs, cwd);
}

/** True if a detail allows these options. Line buffering is harmless; the effect of any other option depends on the server. */
function allowsOptions({ opts, commands }: Detail, names: readonly string[], channels: readonly string[]) {
  if (opts === undefined && commands === undefined) return true;
  const harmless = ["stdout", "stderr", ...channels].map((stream) => `${stream}_LINE_BUFFER`);
  return names.every((name) => harmless.includes(name) || matchesAny(opts ?? [], name));
}

/** A refusal for every token. */
export function forbid(operation: Operation, why: string): Denied {
  return { allowed: false, reason: `no token allows ${operation}: ${why}` };
}

function deny(operation: Operation, field: string): Denied {
  return { allowed: false, reason: `token does not allow ${operation}: ${field}` };
}
