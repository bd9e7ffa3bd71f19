/** The service of a job shell on one rank, whose subprocess server requires signatures (flux-core shell/rexec.c). */
import { errnoOf } from "../../src/errors.js";
import { ROLE } from "../wire/message.js";
import { signedPayload } from "./authenticate.js";
import type { Connection } from "./connection.js";
import type { Request } from "./request.js";
import { Rexec, type RexecOptions } from "./rexec.js";
import type { Shell } from "./shells.js";

const PREFIX = "rexec.";

/** Serves a job shell's signed requests one after another. */
export class ShellService {
  readonly userid: number;
  readonly #shell: Shell;
  readonly #rexec: Rexec;
  /** Settles when all earlier requests are done. */
  #last: Promise<void> = Promise.resolve();

  constructor(shell: Shell, options: RexecOptions) {
    this.userid = shell.userid;
    this.#shell = shell;
    this.#rexec = new Rexec(options);
  }

  /** Serves a request, or returns false if there is no such method. */
  serve(topic: string, request: Request): boolean {
    const method = topic.startsWith(PREFIX) ? topic.slice(PREFIX.length) : "";
    if (!this.#rexec.has(method)) return false;
    if (request.credential.rolemask & (ROLE.owner | ROLE.user)) {
      this.#inTurn(() => this.#answer(method, request));
    } else {
      request.fail(errnoOf("EPERM"), "Request rejected due to insufficient privilege");
    }
    return true;
  }

  /** Disconnects a client that has gone, after its earlier requests are done. */
  disconnect(connection: Connection): void {
    this.#inTurn(() => this.#rexec.disconnect(connection));
  }

  close(): Promise<void> {
    return this.#rexec.close();
  }

  killAll(): void {
    this.#rexec.killAll();
  }

  /**
   * Runs actions one after another, as a shell does, which verifies synchronously: a write that overtook
   * its exec would not find the process.
   */
  #inTurn(action: () => Promise<void> | void): void {
    this.#last = this.#last.then(action);
  }

  async #answer(method: string, request: Request): Promise<void> {
    try {
      // a disconnect needs no signature: its sender could close the connection to the same effect
      const authenticated = method !== "disconnect";
      const payload = authenticated ? await signedPayload(method, request, this.#shell.verify) : undefined;
      this.#rexec.call(method, request, payload);
    } catch (error) {
      this.#rexec.refuse(method, request, error);
    }
  }
}
