/**
 * The audit log: one JSON line for each operation at its end, for each refusal, and for the beginning and end of each session.
 * It never has a token or a value of an environment. It has command lines.
 */
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";
import type { Identity } from "./auth/identity.js";

/** The record of an operation. */
export interface OperationRecord {
  operation: string;
  service: string;
  /** Only of an rpc or a stream: other operations imply it. */
  topic: string | undefined;
  /** Only of events: the beginning of their topics. */
  prefix: string | undefined;
  /** An RFC 22 idset. */
  ranks: string;
  pid: number | undefined;
  label: string | undefined;
  argv: readonly string[] | undefined;
  cwd: string | undefined;
  allowed: boolean;
  /** The reason of a refusal. */
  reason?: string;
  /** The first error of a rank; 0 if all ranks succeeded. */
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
  /** A renewal was accepted. */
  renewed(identity: Identity): void;
  /** The session was resumed on another connection, with this token. */
  resumed(identity: Identity): void;
  /** The client lost its connection. @param graceMs the time for which the session stays */
  detached(graceMs: number): void;
  /** An operation has ended, or was refused. */
  operation(record: OperationRecord): void;
  /** The session has ended. @param code the close code of the proxy; undefined if the client closed or did not return */
  closed(code: number | undefined, reason: string): void;
}

/** The audit of one proxy. */
export interface Audit {
  /** The audit of a session. @param peer the address of its client, or of the TLS server before the proxy */
  session(id: string, peer: string | undefined): AuditSession;
  /** Writes all lines, and closes the file. */
  close(): void;
}

/** The most characters of a command line in a record. */
const MAX_ARGV = 4096;

/** The most characters of any other text, and the most pids: a client chooses most of them. */
const MAX_TEXT = 1024;
const MAX_PIDS = 256;

/** JSON allows these, but they harm a terminal: DEL, C1 controls, line separators, changes of the direction of text. */
const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/**
 * Opens an audit log.
 * @param target a path of a file, which is created with mode 0600 and appended to, or a stream
 * @param onFault receives the errors of lines that cannot be written
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
  readonly #beganAt = performance.now();
  /** The session, its peer, and since a token was accepted its user. */
  #subject: object;

  constructor(log: Logger, subject: object) {
    this.#log = log;
    this.#subject = subject;
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

  detached(graceMs: number): void {
    this.#write("detached", { graceMs });
  }

  operation({ argv, pids, ...record }: OperationRecord): void {
    this.#write("operation", { ...record, ...cutArgv(argv), ...cutPids(pids) });
  }

  closed(code: number | undefined, reason: string): void {
    this.#write("closed", { code, reason, durationMs: Math.round(performance.now() - this.#beganAt) });
  }

  #identify({ sub, userid, tokenId, jkt: thumbprint }: Identity): void {
    this.#subject = { ...this.#subject, sub, userid, tokenId, thumbprint };
  }

  /** A refusal has the level "warn", any other line "info". */
  #write(event: string, fields: { allowed?: boolean; [field: string]: unknown }): void {
    const level = fields.allowed === false ? "warn" : "info";
    this.#log[level](cutTexts({ event, ...this.#subject, ...fields }));
  }
}

/** Cuts long texts, and adds their lengths. */
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

/** Cuts a long command line, and adds the number of its arguments. */
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
