/** Option values, from text. An error is one line. */
import { InvalidArgumentError, Option } from "commander";
import { type PidOrLabel, type SignalName, signalNumber } from "../../src/index.js";
import { isHostlist } from "../../src/protocol/hosts.js";
import { decodeIdset } from "../../src/protocol/idset.js";
import { OPTIONS } from "../options/table.js";

/** "4" */
export function positiveInteger(text: string): number {
  const value = integer(text);
  if (value < 1) throw new InvalidArgumentError("It is 1 or more.");
  return value;
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A Flux standard duration (RFC 23), in milliseconds: "500ms", "1.5m"; seconds without a unit. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const value = match ? Math.round(Number(match[1]) * UNITS[(match[2] ?? "s") as keyof typeof UNITS]) : 0;
  if (value >= 1 && value <= 0x7fffffff) return value;
  throw new InvalidArgumentError('It is a time such as "10s", "500ms" or "1.5h", at most 24 days.');
}

/** A userid: "1001". */
export function userid(text: string): number {
  return integer(text);
}

/** Ranks of a command line: all, those of an RFC 22 idset, or those of the hosts of an RFC 29 hostlist. */
export type Ranks = "all" | readonly number[] | { readonly hosts: string };

/** True for the ranks of hosts. */
export function namesHosts(ranks: Ranks): boolean {
  return typeof ranks === "object" && "hosts" in ranks;
}

/** "all", an RFC 22 idset as its ranks, or an RFC 29 hostlist. */
export function ranks(text: string): Ranks {
  if (text === "all") return text;
  if (isHostlist(text)) return { hosts: text };
  try {
    const ids = decodeIdset(text);
    if (ids.length > 0) return ids;
  } catch {}
  throw new InvalidArgumentError('It is a set of ranks such as "0-3,7", or hosts such as "node[1-3]".');
}

/** NAME=VALUE, gathered over several uses of the option. */
export function assignment(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It is NAME=VALUE.");
  // A computed key is defined, not set: "__proto__" is a name like any other.
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

/** A signal: "15", "TERM" or "SIGTERM". */
export function signal(text: string): number {
  const name = text.toUpperCase();
  try {
    if (/^\d+$/.test(text)) return signalNumber(Number(text));
    return signalNumber((name.startsWith("SIG") ? name : `SIG${name}`) as SignalName);
  } catch {
    throw new InvalidArgumentError("It is a signal's number or name.");
  }
}

/** A 32-bit `pid_t`. */
const MAX_PID = 0x7fffffff;

/** A process: a pid if it is the number of one, else a label, as `flux exec --attach` has it. */
export function pidOrLabel(text: string): PidOrLabel {
  if (text === "") throw new InvalidArgumentError("It is a pid or a label.");
  const pid = Number(text);
  return /^\d+$/.test(text) && pid >= 1 && pid <= MAX_PID ? { pid } : { label: text };
}

/** The address and the port that a proxy listens on. */
export interface Listen {
  host: string;
  port: number;
}

/** The flag of a proxy's address and port. */
export function listenOption(): Option {
  const { host, port } = OPTIONS;
  return new Option(host.flag, `${host.text}, and ${port.text}`)
    .argParser(address)
    .default({ host: host.default, port: port.default }, `${host.default}:${port.default}`);
}

/** HOST:PORT; an IPv6 address is in brackets: "[::1]:8080". */
function address(text: string): Listen {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new InvalidArgumentError('It is HOST:PORT, such as "127.0.0.1:8080" or "[::1]:8080".');
  }
  return { host: (match[1] ?? match[2]) as string, port };
}

function integer(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("It is a number.");
  return value;
}
