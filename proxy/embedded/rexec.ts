/**
 * The verbs of RFC 42 (libsubprocess server.c), for a rank's own service and for those of job shells. The two
 * differ in the users that they accept.
 */
import { FluxError } from "../../src/errors.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { errorCode, strerror } from "../strerror.js";
import { commandName, completeEnvironment, parseCommand, type ServerCommand } from "./command.js";
import type { Connection } from "./connection.js";
import { mayActFor } from "./credential.js";
import { decodeIo } from "./io.js";
import { LOCAL_FLAG, launch } from "./launch.js";
import type { Request } from "./request.js";
import { planStreams } from "./streams.js";
import { Subprocess } from "./subprocess.js";
import { ProcessTable } from "./table.js";
import { type Format, UnpackError, type Unpacked, unpack } from "./unpack.js";

/** The options of a subprocess server. */
export interface RexecOptions {
  rank: number;
  /** The rank's own URI, for FLUX_URI. */
  uri: string;
  /** Receives the messages of Flux's own log: the output and the end of background processes. */
  log: ((message: string) => void) | undefined;
}

/** The effective payload of a request: its own, or the signed one in its place. */
export type Payload = object | undefined;

/** A subprocess server of one rank. */
export class Rexec {
  readonly #options: RexecOptions;
  readonly #table = new ProcessTable();
  /** The processes that have not been reaped, also those that are no longer in the table. */
  readonly #unreaped = new Set<Subprocess>();
  readonly #verbs: ReadonlyMap<string, (request: Request, payload: Payload) => void>;
  /** True after `close`: exec is refused. */
  #closing = false;

  constructor(options: RexecOptions) {
    this.#options = options;
    this.#verbs = new Map([
      ["exec", (request, payload) => this.#exec(request, payload)],
      ["write", (request, payload) => this.#write(request, payload)],
      ["kill", (request, payload) => this.#kill(request, payload)],
      ["list", (request) => this.#list(request)],
      ["wait", (request, payload) => this.#wait(request, payload)],
      ["attach", (request, payload) => this.#attach(request, payload)],
      ["disconnect", (request) => this.disconnect(request.connection)],
    ]);
  }

  /** True if the server has the method. */
  has(method: string): boolean {
    return this.#verbs.has(method);
  }

  /** Executes an authenticated request. @throws FluxError for {@link refuse} to answer with */
  call(method: string, request: Request, payload: Payload): void {
    this.#verbs.get(method)?.(request, payload);
  }

  /** Answers with an error, or logs it for a write, which has no response. @throws every error but a FluxError */
  refuse(method: string, request: Request, error: unknown): void {
    if (!(error instanceof FluxError)) throw error;
    if (method !== "write") request.fail(error.errno, error.message);
    else this.#options.log?.(`Error decoding ${request.topic} request: ${error.message}`);
  }

  /** Kills the foreground processes of a client that has gone, and ends its attaches and waits (server_disconnect_cb). */
  disconnect(connection: Connection): void {
    for (const subprocess of this.#table) {
      if (subprocess.client?.connection === connection) {
        if (subprocess.background) subprocess.detach();
        else subprocess.killNow();
      }
      if (subprocess.waiter?.connection === connection) subprocess.waiter = undefined;
    }
  }

  /** Kills every process and waits until they are reaped. */
  async close(): Promise<void> {
    this.#closing = true;
    this.killAll();
    await Promise.all([...this.#unreaped].map((subprocess) => subprocess.reaped));
    for (const subprocess of this.#table) subprocess.closeStreams();
  }

  /** Kills every process, without waiting for its end. */
  killAll(): void {
    for (const subprocess of this.#table) subprocess.killNow();
  }

  #exec(request: Request, payload: Payload): void {
    const background = !request.streaming;
    const {
      cmd,
      flags,
      local_flags: localFlags = 0,
    } = unpackRequest(payload, { cmd: "any", flags: "integer", local_flags: "integer?" });
    if (this.#closing) throw new FluxError("ENOSYS", "subprocess server is shutting down");
    if (background && flags & EXEC_FLAG.writeCredit) {
      throw new FluxError("EINVAL", "write-credit flag is not allowed in background mode");
    }
    if (background && localFlags & LOCAL_FLAG.stdioFallthrough) {
      throw new FluxError("EINVAL", "stdio-fallthrough flag is not allowed in background mode");
    }
    const command = parseCommand(cmd);
    if (this.#table.hasLabel(command.label)) throw new FluxError("EINVAL", "command label is not unique");
    if (command.cmdline.length === 0) throw new FluxError("EPROTO", "command string is empty");
    if (background && command.channels.length > 0) {
      throw new FluxError("EINVAL", "auxiliary channels are not allowed in background mode");
    }
    if (!background && flags & EXEC_FLAG.waitable) {
      throw new FluxError("EINVAL", "waitable flag only supported in background mode");
    }
    completeEnvironment(command.env, this.#options.uri);

    const { plans, child, complaint } = start(command, flags, localFlags, background);
    if (child.pid === undefined) {
      child.once("error", (error) => {
        const { errno, message } = launchError(error);
        request.fail(errno, message);
      });
      return;
    }
    const subprocess = new Subprocess({
      command,
      child,
      pid: child.pid,
      plans,
      flags,
      localFlags,
      request,
      onDone: () => this.#settle(subprocess),
      log: this.#options.log,
    });
    this.#table.add(subprocess);
    this.#unreaped.add(subprocess);
    void subprocess.reaped.then(() => this.#unreaped.delete(subprocess));
    if (complaint !== undefined) subprocess.complain(complaint);
  }

  #write(request: Request, payload: Payload): void {
    const { matchtag, io } = unpackRequest(payload, { matchtag: "integer", io: "any" });
    for (const subprocess of this.#table) {
      const client = subprocess.client;
      if (client?.connection !== request.connection || (client.matchtag | 0) !== matchtag) continue;
      if (!mayActFor(request.credential, client.credential)) continue;
      const { stream, bytes, eof } = decodeIo(io);
      subprocess.write(stream, bytes, eof);
      return;
    }
  }

  #kill(request: Request, payload: Payload): void {
    const target = unpackRequest(payload, { pid: "pid", signum: "integer", label: "string?" });
    this.#table.find(target).kill(target.signum);
    request.respond();
  }

  #list(request: Request): void {
    const procs = [...this.#table].map((subprocess) => ({
      pid: subprocess.pid,
      cmd: commandName(subprocess.command),
      label: subprocess.command.label ?? "",
      state: subprocess.active ? "R" : "Z",
    }));
    request.respond({ rank: this.#options.rank, procs });
  }

  #wait(request: Request, payload: Payload): void {
    const subprocess = this.#table.find(unpackRequest(payload, { pid: "pid", label: "string?" }));
    if (!subprocess.waitable) throw new FluxError("EINVAL", "process is not waitable");
    if (subprocess.waiter) throw new FluxError("EINVAL", "process is already being waited on");
    if (subprocess.client) throw new FluxError("EBUSY", "subprocess has a client attached");
    subprocess.waiter = request;
    if (!subprocess.active) this.#settle(subprocess);
  }

  #attach(request: Request, payload: Payload): void {
    const target = unpackRequest(payload, { pid: "pid", label: "string?", flags: "integer" });
    if (!request.streaming) throw new FluxError("EPROTO", "attach request is missing STREAMING flag");
    const subprocess = this.#table.find(target, "ENOENT");
    if (!subprocess.background) throw new FluxError("EBUSY", "subprocess is not in background mode");
    if (subprocess.client) throw new FluxError("EBUSY", "subprocess already has a client attached");
    if (subprocess.waiter) throw new FluxError("EBUSY", "subprocess is being waited on");
    subprocess.attach(request, target.flags);
    if (subprocess.active) return;
    subprocess.waitable = false; // the attach has reported its status
    this.#settle(subprocess);
  }

  /** Removes a process that has ended, unless a client may still wait for its status (server.c proc_delete). */
  #settle(subprocess: Subprocess): void {
    if (subprocess.waitable) {
      if (!subprocess.waiter) return;
      const { status, retained } = subprocess;
      subprocess.waiter.respond(
        retained.output.length > 0 ? { status, output: retained.output } : { status },
      );
    }
    this.#table.delete(subprocess);
  }
}

function start(command: ServerCommand, flags: number, localFlags: number, background: boolean) {
  try {
    const plans = planStreams(command, flags, localFlags, { background });
    const reads = (name: string) => plans.some((plan) => plan.name === name);
    return { plans, ...launch(command, { localFlags, stdout: reads("stdout"), stderr: reads("stderr") }) };
  } catch (error) {
    throw launchError(error);
  }
}

function launchError(cause: unknown): FluxError {
  const code = errorCode(cause);
  return new FluxError(code, `error launching process: ${strerror(code)}`, { cause });
}

function unpackRequest<F extends Format>(payload: Payload, format: F): Unpacked<F> {
  try {
    return unpack(payload, format);
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    throw new FluxError("EPROTO", `invalid request payload: ${error.message}`, { cause: error });
  }
}
