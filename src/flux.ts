import { Observable } from "rxjs";
import { demand, milliseconds, name, rank } from "./protocol/checks.js";
import { Rpc } from "./rpc.js";
import { abortable } from "./session/abort.js";
import type { Session } from "./session/session.js";
import type { Status } from "./session/status.js";

/** How a {@link Flux.rpc} is sent. */
export interface RpcOptions {
  /** The broker rank that answers, or "any", the default: the nearest one that has the service. */
  nodeid?: number | "any" | undefined;
  /** When aborted, the Rpc errors with the signal's reason. What was sent is not taken back: only its answer is let go. */
  signal?: AbortSignal | undefined;
  /**
   * How long the answer may take once the proxy has the request, in milliseconds; then the Rpc errors with ETIMEDOUT, and
   * nobody knows whether the request has had its effect. `Infinity`: for ever. To bound the time without a connection
   * too, use `signal: AbortSignal.timeout(ms)`.
   * @default 30_000
   */
  timeout?: number | undefined;
}

/**
 * A handle to a Flux instance, through a proxy. Made by `connect()`. Python's counterpart is `flux.Flux`.
 */
export class Flux {
  /** @internal The verbs' way in. */
  readonly session: Session;

  /** @internal */
  constructor(session: Session) {
    this.session = session;
  }

  /** "connecting", "open", "resuming", "closed": the latest first and then each change. Completes after "closed". */
  get status$(): Observable<Status> {
    return this.session.status$;
  }

  /**
   * Sends any Flux request (RFC 6) and gives its answer's payload, `{}` if it has none.
   *
   *     const { value } = await flux.rpc<{ value: string }>("attr.get", { name: "size" }).get();
   *
   * @param topic service and method, such as "attr.get"
   * @param payload a JSON object
   * @throws TypeError if the topic, the nodeid or the timeout is not valid; FluxError from the Rpc: EPERM if the token does
   *   not allow the topic, ENOSYS if there is no such service, EHOSTUNREACH if there is no such rank, ETIMEDOUT, and
   *   whatever the service answers
   */
  rpc<T = unknown>(topic: string, payload: object = {}, options: RpcOptions = {}): Rpc<T> {
    demand("topic", topic, name);
    return new Rpc(request(this, { ...options, topic, payload, sign: false }, (answer) => answer as T));
  }

  /**
   * Makes another connection and goes on over it, then lets go of the one there is: after a change of the network or of
   * the token, without an interruption. Rejects with a FluxError if that fails; then the one there is serves on.
   */
  reconnect(): Promise<void> {
    return this.session.reconnect();
  }

  /**
   * Ends the session. Processes in the foreground end with it, as RFC 42 has it; those in background stay. While the
   * connection is lost the proxy does not hear of it, and ends the session when its grace is over.
   */
  close(): void {
    this.session.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

interface RankRequest extends RpcOptions {
  topic: string;
  payload: object;
  sign?: boolean | undefined;
}

/** @internal A request with one answer, sent at each subscription. @param read makes of its payload what is wanted */
export function request<T>(
  flux: Flux,
  { topic, payload, nodeid = "any", sign, signal, timeout = 30_000 }: RankRequest,
  read: (payload: object) => T,
): Observable<T> {
  const asked = { topic, nodeid: rankNodeid(nodeid), streaming: false, sign, timeout: deadline(timeout) };
  const send = new Observable<T>((subscriber) => {
    const call = flux.session.start(
      { ...asked, payload: { ...payload } },
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

/** @internal The deadline of a request; undefined if it has none. @throws TypeError */
export function deadline(timeout = Number.POSITIVE_INFINITY): number | undefined {
  // JSON has no Infinity.
  if (timeout === Number.POSITIVE_INFINITY) return undefined;
  demand("timeout", timeout, milliseconds);
  return timeout;
}

/** @internal The nodeid of one rank. @throws TypeError */
export function rankNodeid(nodeid: number | "any"): string {
  if (nodeid === "any") return nodeid;
  demand("nodeid", nodeid, rank);
  return String(nodeid);
}
