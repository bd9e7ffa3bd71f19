/** The service "rexec" of one rank. It serves only the instance owner and cannot verify signatures. */
import { errnoOf } from "../../src/errors.js";
import { ROLE } from "../wire/message.js";
import { unsignedPayload } from "./authenticate.js";
import type { Connection } from "./connection.js";
import type { Request } from "./request.js";
import { Rexec, type RexecOptions } from "./rexec.js";

/** The options of {@link OwnerService}. */
export interface OwnerServiceOptions extends RexecOptions {
  /** Refuse requests without the role `local`: rank 0 of a multi-user instance (flux-core modules/rexec). */
  localOnly: boolean;
}

/** Serves the instance owner's unsigned requests. */
export class OwnerService {
  readonly #rexec: Rexec;
  readonly #localOnly: boolean;

  constructor(options: OwnerServiceOptions) {
    this.#rexec = new Rexec(options);
    this.#localOnly = options.localOnly;
  }

  /** Serves a request, or returns false if there is no such method. */
  serve(method: string, request: Request): boolean {
    if (!this.#rexec.has(method)) return false;
    if (!(request.credential.rolemask & ROLE.owner)) {
      request.fail(errnoOf("EPERM"), "Request requires owner credentials");
      return true;
    }
    if (this.#localOnly && method !== "disconnect" && !(request.credential.rolemask & ROLE.local)) {
      request.fail(errnoOf("EPERM"), "Remote rexec requests are not allowed on rank 0");
      return true;
    }
    try {
      this.#rexec.call(method, request, unsignedPayload(method, request));
    } catch (error) {
      this.#rexec.refuse(method, request, error);
    }
    return true;
  }

  disconnect(connection: Connection): void {
    this.#rexec.disconnect(connection);
  }

  close(): Promise<void> {
    return this.#rexec.close();
  }

  killAll(): void {
    this.#rexec.killAll();
  }
}
