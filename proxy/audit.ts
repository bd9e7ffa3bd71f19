/**
 * Who did what, and who was kept from it: one JSON line for each operation at its end, for each refusal, and for the
 * beginning and end of each session. Never a token, nor a value of an environment; command lines are in it, though.
 */
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";
import type { Identity } from "./auth/identity.js";

/** What is told of an operation. */
export interface OperationRecord {
  operation: string;
  service: string;
  /** Of an rpc, whose method the operation does not say. */
  topic: string | undefined;
  /** An RFC 22 idset. */
  ranks: string;
  pid: number | undefined;
  label: string | undefined;
  argv: readonly string[] | undefined;
  cwd: string | undefined;
  allowed: boolean;
  /** Why it was not allowed. */
  reason?: string;
  /** 0 for an operation that went well, else the first error of a rank. */
  errno: number;
  durationMs?: number;
  bytesIn?: number;
  bytesOut?: number;
  pids?: number[] | undefined;
}

/** The audit of one session. */
export interface AuditSession {
  /** A token was refused: at the opening, or as a successor. */
  refused(reason: string): void;
  /** A token was accepted. */
  opened(identity: Identity): void;
  renewed(identity: Identity): void;
  /** Another token was accepted, on another connection. */
  resumed(identity: Identity): void;
  /** The connection was lost. */
  detached(): void;
  operation(record: OperationRecord): void;
  /** @param code the close code; undefined if the client has closed, or gone */
  closed(code: number | undefined, reason: string): void;
}

export interface Audit {
  /** @param peer the address that the session came from, a TLS server's if one stands before the proxy */
  session(id: string, peer: string | undefined): AuditSession;
  /** Writes what waits. */
  close(): void;
}

/** Of a command line, as many characters are kept as say what it is. */
const MAX_ARGV = 4096;

/** The most characters of any other text in a line, and the most pids: a client chooses most of them. */
const MAX_TEXT = 1024;
const MAX_PIDS = 256;

/** In JSON, but not harmless on a terminal: DEL, C1 controls, line separators, what turns the direction of text. */
const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/**
 * @param target where the lines go: a path, to append to with mode 0600, or a stream
 * @param onFault told of lines that cannot be written
 */
export function createAudit(target: DestinationStream | string, onFault: (error: unknown) => void): Audit {
  const file = typeof target === "string" ? openFile(target, onFault) : undefined;
  const stream = file ?? (target as DestinationStream);
  const log = pino(
    { base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => void stream.write(line.replace(UNSAFE, escaped)) },
  );
  return {
    session: (session, peer) => new SessionLog(log, { session, peer }),
    close: () => file?.end(),
  };
}

function openFile(path: string, onFault: (error: unknown) => void) {
  const file = destination({ dest: path, append: true, mode: 0o600, sync: true });
  file.on("error", onFault);
  return file;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

class SessionLog implements AuditSession {
  readonly #log: Logger;
  readonly #begun = performance.now();
  #who: object;

  constructor(log: Logger, who: object) {
    this.#log = log;
    this.#who = who;
  }

  refused(reason: string): void {
    this.#write("refused", { allowed: false, reason });
  }

  opened(identity: Identity): void {
    this.#identify(identity);
    this.#write("opened", { expires: identity.expires });
  }

  renewed(identity: Identity): void {
    this.#identify(identity);
    this.#write("renewed", { expires: identity.expires });
  }

  resumed(identity: Identity): void {
    this.#identify(identity);
    this.#write("resumed", { expires: identity.expires });
  }

  detached(): void {
    this.#write("detached", {});
  }

  operation({ argv, pids, ...record }: OperationRecord): void {
    this.#write("operation", { ...record, ...cutArgv(argv), ...cutPids(pids) });
  }

  closed(code: number | undefined, reason: string): void {
    this.#write("closed", { code, reason, durationMs: Math.round(performance.now() - this.#begun) });
  }

  #identify({ sub, userid, tokenId, jkt: thumbprint }: Identity): void {
    this.#who = { ...this.#who, sub, userid, tokenId, thumbprint };
  }

  /** What was refused is a warning; all else goes on as it should. */
  #write(event: string, fields: { allowed?: boolean; [field: string]: unknown }): void {
    const level = fields.allowed === false ? "warn" : "info";
    this.#log[level](cutTexts({ event, ...this.#who, ...fields }));
  }
}

/** Each text, or its beginning and how long it is. */
function cutTexts(line: Record<string, unknown>): object {
  const cut: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(line)) {
    const long = typeof value === "string" && value.length > MAX_TEXT;
    cut[field] = long ? value.slice(0, MAX_TEXT) : value;
    if (long) cut[`${field}Cut`] = value.length;
  }
  return cut;
}

function cutPids(pids: readonly number[] | undefined): object {
  if (pids === undefined || pids.length <= MAX_PIDS) return { pids };
  return { pids: pids.slice(0, MAX_PIDS), pidsCut: pids.length };
}

/** A command line, or its beginning and how many arguments it has. */
function cutArgv(argv: readonly string[] | undefined): object {
  if (argv === undefined) return {};
  let left = MAX_ARGV;
  const kept: string[] = [];
  for (const argument of argv) {
    if (left <= 0) break;
    kept.push(argument.slice(0, left));
    left -= argument.length + 1;
  }
  return left < 0 || kept.length < argv.length ? { argv: kept, argvCut: argv.length } : { argv: kept };
}
