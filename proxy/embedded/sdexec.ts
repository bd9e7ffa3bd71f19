/** The service "sdexec" of one rank: RFC 42 with the limits of flux-core's module (sdexec.c), without systemd. */
import { errnoOf, FluxError } from "../../src/errors.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { ROLE } from "../wire/message.js";
import { type ServerCommand, sdexecCommand } from "./command.js";
import type { Connection } from "./connection.js";
import { mayActFor } from "./credential.js";
import { decodeIo } from "./io.js";
import { parsePayload } from "./json.js";
import { LOCAL_FLAG } from "./launch.js";
import type { Request } from "./request.js";
import type { Payload, RexecOptions } from "./rexec.js";
import { launchUnit } from "./sdexec-launch.js";
import { SdexecProcess } from "./sdexec-process.js";
import { type Format, UnpackError, type Unpacked, unpack } from "./unpack.js";

const VALID_FLAGS = EXEC_FLAG.stdout | EXEC_FLAG.stderr;

/** Serves sdexec's requests one after another. */
export class SdexecService {
  readonly #options: RexecOptions;
  readonly #processes = new Set<SdexecProcess>();
  readonly #verbs: ReadonlyMap<string, (request: Request, payload: Payload) => Promise<void> | void>;
  /** Settles when all earlier requests are done. sdexec waits while a process does not read its input. */
  #last: Promise<void> = Promise.resolve();
  /** True after `close`: exec is refused. */
  #closing = false;

  constructor(options: RexecOptions) {
    this.#options = options;
    this.#verbs = new Map<string, (request: Request, payload: Payload) => Promise<void> | void>([
      ["exec", (request, payload) => this.#exec(request, payload)],
      ["write", (request, payload) => this.#write(request, payload)],
      ["kill", (request, payload) => this.#kill(request, payload)],
      ["wait", (request, payload) => this.#wait(request, payload)],
      ["list", (request) => this.#list(request)],
      ["ping", (request) => request.respond({ rank: options.rank })],
    ]);
  }

  /** Serves a request, or returns false if there is no such method. */
  serve(method: string, request: Request): boolean {
    const verb = this.#verbs.get(method);
    if (verb === undefined) return false;
    if (!(request.credential.rolemask & ROLE.owner)) {
      request.fail(errnoOf("EPERM"), "Request requires owner credentials");
      return true;
    }
    this.#inTurn(async () => {
      try {
        await verb(request, parsePayload(request.payload));
      } catch (error) {
        if (!(error instanceof FluxError)) throw error;
        if (method === "write") this.#options.log?.(`${request.topic}: ${error.message}`);
        else request.fail(error.errno, error.message === error.code ? undefined : error.message);
      }
    });
    return true;
  }

  disconnect(connection: Connection): void {
    this.#inTurn(() => {
      for (const process of this.#processes) process.disconnect(connection);
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.killAll();
    await Promise.all([...this.#processes].map((process) => process.reaped));
    for (const process of this.#processes) process.closeStreams();
  }

  killAll(): void {
    for (const process of this.#processes) process.killNow();
  }

  #inTurn(action: () => Promise<void> | void): void {
    this.#last = this.#last.then(action);
  }

  async #exec(request: Request, payload: Payload): Promise<void> {
    const fields = unpackFields(payload, { cmd: "any", flags: "integer", local_flags: "integer?" });
    const flags = checkFlags(fields, !request.streaming);
    if (this.#closing) throw new FluxError("ENOSYS", "sdexec module is unloading");
    const command: ServerCommand = sdexecCommand(fields.cmd);
    const { child, pid, plans } = await launchUnit(command, flags, {
      background: !request.streaming,
      uri: this.#options.uri,
    });
    const process = new SdexecProcess({
      command,
      child,
      pid,
      plans,
      flags,
      request,
      log: this.#options.log,
      onDone: () => this.#processes.delete(process),
    });
    this.#processes.add(process);
  }

  #write(request: Request, payload: Payload): Promise<void> | void {
    const { matchtag, io } = unpackFields(payload, { matchtag: "integer", io: "any" });
    for (const process of this.#processes) {
      const { request: exec } = process;
      if (exec.connection !== request.connection || (exec.matchtag | 0) !== matchtag) continue;
      if (!mayActFor(request.credential, exec.credential)) continue;
      const { stream, bytes, eof } = decodeIo(io);
      if (stream !== "stdin") throw new FluxError("EINVAL", `${stream} is an invalid stream`);
      return process.write(bytes, eof);
    }
  }

  #kill(request: Request, payload: Payload): void {
    const fields = unpackFields(payload, { pid: "integer", signum: "integer", label: "string?" });
    const target = fields.label === undefined ? `pid=${fields.pid}` : `label=${fields.label}`;
    this.#find(fields, `kill ${target} not found`).kill(fields.signum);
    request.respond();
  }

  #wait(request: Request, payload: Payload): void {
    const fields = unpackFields(payload, { pid: "integer", label: "string?" });
    const target = fields.label === undefined ? "pid=" : `label=${fields.label}`;
    this.#find(fields, `wait ${target} not found`).wait(request);
  }

  #list(request: Request): void {
    const procs = [...this.#processes].map(({ pid, command, active }) => ({
      pid,
      cmd: command.cmdline[0] ?? "",
      label: command.label ?? "",
      state: active ? "R" : "Z",
    }));
    request.respond({ rank: this.#options.rank, procs });
  }

  /** The first process with the label or pid: sdexec does not require unique labels. @throws FluxError ESRCH */
  #find({ pid, label }: { pid: number; label: string | undefined }, missing: string): SdexecProcess {
    for (const process of this.#processes) {
      if (label === undefined ? process.pid === pid : process.command.label === label) return process;
    }
    throw new FluxError("ESRCH", missing);
  }
}

/** @throws FluxError EINVAL, in the words and the order of sdexec.c exec_cb and sdproc_create */
function checkFlags(
  { flags, local_flags: localFlags = 0 }: { flags: number; local_flags: number | undefined },
  background: boolean,
): number {
  const refuse = (text?: string) => new FluxError("EINVAL", text);
  if (flags & EXEC_FLAG.channel) throw refuse("subprocess auxiliary channels are not supported yet");
  if (background && flags & EXEC_FLAG.writeCredit) {
    throw refuse("write-credit flag is not allowed in background mode");
  }
  if (background && localFlags & LOCAL_FLAG.stdioFallthrough) {
    throw refuse("stdio-fallthrough flag is not allowed in background mode");
  }
  if (!background && flags & EXEC_FLAG.waitable) {
    throw refuse("waitable flag only supported in background mode");
  }
  if (flags & ~EXEC_FLAG.waitable & ~VALID_FLAGS) throw refuse();
  return flags;
}

function unpackFields<F extends Format>(payload: Payload, format: F): Unpacked<F> {
  try {
    return unpack(payload, format);
  } catch (cause) {
    if (!(cause instanceof UnpackError)) throw cause;
    throw new FluxError("EPROTO", undefined, { cause });
  }
}
