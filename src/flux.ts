import type { Observable } from "rxjs";
import { demand, name, object } from "./protocol/checks.js";
import { checkOptions } from "./protocol/options.js";
import { RPC_OPTIONS, type RpcOptions, request } from "./request.js";
import { Rpc } from "./rpc.js";
import type { Sessions } from "./session/sessions.js";
import type { Status } from "./session/status.js";

/**
 * A handle to a Flux instance, through a proxy. {@link connect} makes handles. Python's counterpart is `flux.Flux`.
 */
export class Flux {
  /** @internal */
  readonly session: Sessions;

  /** Not for applications: {@link connect} makes handles. */
  constructor(session: never);
  /** @internal */
  constructor(session: Sessions);
  constructor(session: Sessions) {
    this.session = session;
  }

  /**
   * The state of the handle: the latest one at subscription, then each change. Completes after "closed".
   *
   * @example
   * ```ts
   * const flux = connect(url, { token });
   * flux.status$.subscribe(({ state }) => console.log(state)); // connecting, open, closed
   * await flux.rpc("attr.get", { name: "rank" }).get();
   * flux.close();
   * ```
   */
  get status$(): Observable<Status> {
    return this.session.status$;
  }

  /**
   * Sends any Flux request (RFC 6) and emits the payload of its answer, `{}` if the answer has none. Python's counterpart is
   * `flux.Flux.rpc`.
   *
   * @param topic service and method, such as "attr.get"
   * @param payload a JSON object
   * @param options the rank, a deadline, a signal
   * @returns errors with a FluxError: EPERM if the token does not allow the topic, ENOSYS if no such service exists, EHOSTUNREACH
   *   if no such rank exists, ETIMEDOUT, or the service's own error
   * @throws TypeError if the topic, an option is not valid
   *
   * @example
   * ```ts
   * const { value } = await flux.rpc<{ value: string }>("attr.get", { name: "size" }).get();
   * console.log(value); // 4
   * ```
   */
  rpc<T = unknown>(topic: string, payload: object = {}, options: RpcOptions = {}): Rpc<T> {
    demand("topic", topic, name);
    demand("payload", payload, object);
    checkOptions("rpc", options, RPC_OPTIONS);
    return new Rpc(
      request(this.session, { ...options, topic, payload, sign: false }, (answer) => answer as T),
    );
  }

  /**
   * Moves the session to a new connection, without an interruption: after a change of the network, or of the token.
   *
   * @returns rejects with a FluxError if the new connection fails; the session then stays on the old one
   *
   * @example
   * ```ts
   * await flux.rpc("attr.get", { name: "rank" }).get();
   * await flux.reconnect();
   * console.log("resumed"); // resumed
   * ```
   */
  reconnect(): Promise<void> {
    return this.session.reconnect();
  }

  /**
   * Ends the session. Its foreground processes end too (RFC 42), its background processes do not. While the connection is lost,
   * the proxy ends the session, and these processes, only after the grace.
   */
  close(): void {
    this.session.close();
  }

  /** {@link Flux.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
