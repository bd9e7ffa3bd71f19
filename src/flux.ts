import { Observable } from "rxjs";
import { demand, milliseconds, name, rank } from "./protocol/checks.js";
import { Rpc } from "./rpc.js";
import { abortable } from "./session/abort.js";
import type { Session } from "./session/session.js";
import type { Status } from "./session/status.js";

/** Options of {@link Flux.rpc}. */
export interface RpcOptions {
  /**
   * The broker rank that answers, or "any": the nearest broker that has the service (RFC 6).
   * @default "any"
   */
  nodeid?: number | "any" | undefined;
  /** When aborted, the Rpc errors with the signal's reason. A request that was sent still has its effect. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the answer, from when the proxy has the request. Then the Rpc errors with ETIMEDOUT, and the request may
   * still have its effect. `Infinity`: no limit. `signal: AbortSignal.timeout(ms)` also counts the time without a connection.
   * @default 30_000
   */
  timeout?: number | undefined;
}

/**
 * A handle to a Flux instance, through a proxy. {@link connect} makes handles. Python's counterpart is `flux.Flux`.
 */
export class Flux {
  /** @internal */
  readonly session: Session;

  /** Not for applications: {@link connect} makes handles. */
  constructor(session: never);
  /** @internal */
  constructor(session: Session);
  constructor(session: Session) {
    this.session = session;
  }

  /**
   * The state of the session: the latest one at subscription, then each change. Completes after "closed".
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
   * @throws TypeError if the topic, the nodeid or the timeout is not valid
   *
   * @example
   * ```ts
   * const { value } = await flux.rpc<{ value: string }>("attr.get", { name: "size" }).get();
   * console.log(value); // 4
   * ```
   */
  rpc<T = unknown>(topic: string, payload: object = {}, options: RpcOptions = {}): Rpc<T> {
    demand("topic", topic, name);
    return new Rpc(request(this, { ...options, topic, payload, sign: false }, (answer) => answer as T));
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

interface RankRequest extends RpcOptions {
  topic: string;
  payload: object;
  sign?: boolean | undefined;
}

/**
 * A request with one answer, sent at each subscription.
 * @internal
 * @param read makes the emitted value from the answer's payload
 */
export function request<T>(
  flux: Flux,
  { topic, payload, nodeid = "any", sign, signal, timeout = 30_000 }: RankRequest,
  read: (payload: object) => T,
): Observable<T> {
  const template = { topic, nodeid: rankNodeid(nodeid), streaming: false, sign, timeout: deadline(timeout) };
  const send = new Observable<T>((subscriber) => {
    const call = flux.session.start(
      { ...template, payload: { ...payload } },
      {
        next: (message) => {
          try {
            if (message.type === "response") subscriber.next(read(message.payload));
            else if (message.type === "error") throw message.error;
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      },
    );
    return () => flux.session.withdraw(call);
  });
  return abortable(send, signal);
}

/**
 * The deadline of a request in milliseconds; undefined for no limit.
 * @internal
 * @throws TypeError
 */
export function deadline(timeout = Number.POSITIVE_INFINITY): number | undefined {
  // JSON has no Infinity.
  if (timeout === Number.POSITIVE_INFINITY) return undefined;
  demand("timeout", timeout, milliseconds);
  return timeout;
}

/**
 * The nodeid of one rank, as a request has it.
 * @internal
 * @throws TypeError
 */
export function rankNodeid(nodeid: number | "any"): string {
  if (nodeid === "any") return nodeid;
  demand("nodeid", nodeid, rank);
  return String(nodeid);
}
