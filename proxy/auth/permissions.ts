/**
 * A token's permissions: its `scope` (RFC 6749 section 3.3) names actions, and its `authorization_details` (RFC 9396) of type
 * `flux_subprocess` restrict them. This file reads the claims; proxy/policy decides by them.
 */
import { idsetRanges } from "../../src/protocol/idset.js";
import { type SignalName, signalNumber } from "../../src/protocol/signals.js";
import { RankRanges } from "./rank-ranges.js";

/** The words of a scope and of a detail's `actions`. */
export const ACTIONS = [
  "exec",
  "attach",
  "write",
  "kill",
  "wait",
  "list",
  "watch",
  "rpc",
  "stream",
  "events",
  "hosts",
] as const;
/** A word of {@link ACTIONS}. */
export type Action = (typeof ACTIONS)[number];

/** The actions of a token that is made without a scope: an action that was added later must be asked for. */
export const DEFAULT_ACTIONS: readonly Action[] = ACTIONS.filter(
  (action) => action !== "stream" && action !== "events",
);

/** Details of other types are for other resources. */
const DETAIL_TYPE = "flux_subprocess";

/** The longest pattern, in characters: matching takes time in proportion to it. */
const MAX_PATTERN = 256;

/** The most elements of a list in a detail, and the most details. */
const MAX_ELEMENTS = 256;

/** One detail, checked. A field that is absent restricts nothing, unless it says otherwise. */
export interface Detail {
  readonly actions: ReadonlySet<Action>;
  /** Globs. @default every subprocess service; for `rpc` and `stream`, the services of `topics` */
  readonly services?: readonly string[];
  readonly ranks?: RankRanges;
  /** Globs. */
  readonly labels?: readonly string[];
  /** Patterns of an argv: a glob for each argument. A last "**" matches any further arguments. */
  readonly commands?: readonly (readonly string[])[];
  readonly signals?: ReadonlySet<number>;
  /** Globs of variable names, and of channel names. @default beside `commands`: no name */
  readonly env?: readonly string[];
  /** Globs of working directories. @default beside `commands`: only the server's own */
  readonly cwd?: readonly string[];
  /** Globs of names of subprocess options. @default beside `commands`: only those that say how streams are cut */
  readonly opts?: readonly string[];
  /** For `rpc` and `stream`: globs of topics, whose first word, the service, is no pattern. @default attr.get and attr.list */
  readonly topics?: readonly string[];
  /** For `events`: beginnings of topics. @default any */
  readonly prefixes?: readonly string[];
  /** The most processes that the subject may have at once. */
  readonly processes?: number;
}

/** The permissions of one token. A token with neither field allows nothing. */
export interface Permissions {
  /** Absent if the token has no scope. */
  readonly scope?: ReadonlySet<Action>;
  /** Absent if the token has no detail of type `flux_subprocess`. */
  readonly details?: readonly Detail[];
}

/**
 * @param scope the claim `scope`
 * @param authorizationDetails the claim `authorization_details`
 * @throws TypeError naming the malformed part. An unknown field of a detail is malformed: its author meant to restrict something
 */
export function readPermissions(scope: unknown, authorizationDetails: unknown): Permissions {
  const details = readDetails(authorizationDetails);
  return {
    ...(scope === undefined ? {} : { scope: readScope(scope) }),
    ...(details.length === 0 ? {} : { details }),
  };
}

function readScope(scope: unknown): ReadonlySet<Action> {
  if (typeof scope !== "string") throw new TypeError("scope is not a string");
  // Other words are for other resources.
  return new Set(scope.split(" ").filter(isAction));
}

function readDetails(claim: unknown): Detail[] {
  if (claim === undefined) return [];
  const ours = list(claim, "authorization_details").filter((detail) => {
    if (!isObject(detail) || typeof detail["type"] !== "string") {
      throw new TypeError("authorization_details has an element without a type");
    }
    return detail["type"] === DETAIL_TYPE;
  });
  return ours.map((detail) => readDetail(detail as Record<string, unknown>));
}

const READERS: { readonly [K in keyof Detail]-?: (value: unknown) => Detail[K] } = {
  actions: (value) => new Set(list(value, "actions").map(readAction)),
  services: (value) => patterns(value, "services"),
  ranks: readRanks,
  labels: (value) => patterns(value, "labels"),
  commands: (value) => list(value, "commands").map(readCommand),
  signals: (value) => new Set(list(value, "signals").map(readSignal)),
  env: (value) => patterns(value, "env"),
  cwd: (value) => patterns(value, "cwd"),
  opts: (value) => patterns(value, "opts"),
  topics: (value) => patterns(value, "topics").map(readTopic),
  prefixes: (value) => patterns(value, "prefixes"),
  processes: readProcesses,
};

function readDetail({ type: _, ...fields }: Record<string, unknown>): Detail {
  const detail: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(READERS, name)) throw new TypeError("a detail has an unknown field");
    detail[name] = READERS[name as keyof Detail](value);
  }
  if (detail["actions"] === undefined) throw new TypeError("a detail has no actions");
  return detail as unknown as Detail;
}

function readAction(value: unknown): Action {
  if (!isAction(value)) throw new TypeError("actions has an unknown action");
  return value;
}

function readRanks(value: unknown): RankRanges {
  if (typeof value !== "string") throw new TypeError("ranks is not an idset");
  try {
    return new RankRanges(idsetRanges(value));
  } catch (cause) {
    throw new TypeError("ranks is not an idset", { cause });
  }
}

function readCommand(value: unknown): string[] {
  const command = patterns(value, "commands");
  if (command.length === 0) throw new TypeError("commands has an empty pattern");
  if (command.slice(0, -1).includes("**")) throw new TypeError('commands has a "**" that is not the last');
  return command;
}

/** A token must name each service: the proxy does not know the other services or their effects. */
function readTopic(pattern: string): string {
  if (/^[^.*?]+\./.test(pattern)) return pattern;
  throw new TypeError('topics has one whose service is not named, as in "job-list.*"');
}

/** Second names that Linux has for two signals (signal(7)). */
const SYNONYMS: ReadonlyMap<string, SignalName> = new Map([
  ["SIGIOT", "SIGABRT"],
  ["SIGPOLL", "SIGIO"],
]);

function readSignal(value: unknown): number {
  const number = typeof value === "string" ? signalOf(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > 64) {
    throw new TypeError("signals has an element that is not a signal");
  }
  return number;
}

function signalOf(name: string): number | undefined {
  const full = name.startsWith("SIG") ? name : `SIG${name}`;
  try {
    return signalNumber(SYNONYMS.get(full) ?? (full as SignalName));
  } catch {
    return undefined;
  }
}

function readProcesses(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0) {
    throw new TypeError("processes is not a number of processes");
  }
  return value as number;
}

function patterns(value: unknown, name: string): string[] {
  return list(value, name).map((pattern) => {
    if (typeof pattern === "string" && pattern.length <= MAX_PATTERN) return pattern;
    throw new TypeError(`${name} has an element that is not a string of at most ${MAX_PATTERN} characters`);
  });
}

function list(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} is not an array`);
  if (value.length > MAX_ELEMENTS) throw new TypeError(`${name} has over ${MAX_ELEMENTS} elements`);
  return value;
}

function isAction(value: unknown): value is Action {
  return (ACTIONS as readonly unknown[]).includes(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
