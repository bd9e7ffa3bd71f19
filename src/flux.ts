import type { Observable } from "rxjs";
import { abortSignal, demand, name, object, text } from "./protocol/checks.js";
import { checkOptions } from "./protocol/options.js";
import { RPC_OPTIONS, type RpcOptions, request, type StreamOptions } from "./request.js";
import { Rpc } from "./rpc.js";
import type { Sessions } from "./session/sessions.js";
import type { Status } from "./session/status.js";

/** A Flux event (RFC 3). */
export interface FluxEvent {
  /** Its topic, such as "job-state". */
  readonly topic: string;
  /** Its number: those of one instance count up by one, of all topics together. */
  readonly seq: number;
  /** Its payload; absent if it has none. */
  readonly payload?: unknown;
  /** A payload that is not a JSON object, as base64. */
  readonly raw?: string;
}

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
  rpc<T = unknown>(topic: string, payload?: object, options?: RpcOptions): Rpc<T>;
  /**
   * Sends a request with any number of answers (RFC 6 streaming), and emits the payload of each. The Observable is cold: each subscription
   * sends the request, and unsubscribing cancels it at the service. It completes when the service ends the stream (ENODATA).
   *
   * Python's counterpart is `flux.Flux.rpc` with `flux.constants.FLUX_RPC_STREAMING`.
   *
   * @param topic service and method, such as "job-info.eventlog-watch"
   * @param payload a JSON object. An integer beyond 2^53 - 1, such as a job id, is a BigInt, here and in the answers
   * @param options the rank, a deadline for the first answer, a signal
   * @returns errors with a FluxError: EPERM if the token does not allow to stream the topic, ENOBUFS if this client read the stream so
   *   slowly that its answers had to be dropped, ECONNRESET if the session was lost, or the service's own error
   * @throws TypeError if the topic, the nodeid or the timeout is not valid
   *
   * @example
   * ```ts
   * const events = flux.rpc("job-info.eventlog-watch", { id: 2n ** 62n, path: "eventlog", flags: 0 }, { streaming: true });
   * events.subscribe({ error: ({ code }) => console.log(code) }); // ENOSYS
   * ```
   */
  rpc<T = unknown>(topic: string, payload: object, options: StreamOptions): Observable<T>;
  rpc<T = unknown>(
    topic: string,
    payload: object = {},
    options: RpcOptions | StreamOptions = {},
  ): Observable<T> {
    demand("topic", topic, name);
    demand("payload", payload, object);
    checkOptions("rpc", options, RPC_OPTIONS);
    const answers = request(
      this.session,
      { ...options, topic, payload, sign: false },
      (answer) => answer as T,
    );
    return options.streaming ? answers : new Rpc(answers);
  }

  /**
   * Subscribes to Flux events (RFC 3). The Observable is cold, and does not complete: unsubscribing ends it. Requests go to the broker in
   * the order in which they are sent, so the event that a later request causes is not missed. Python's counterpart is
   * `flux.Flux.event_subscribe`.
   *
   * @param prefix the beginning of the topics, such as "job-state"; "" for all events
   * @param options a signal
   * @returns errors with a FluxError: EPERM if the token does not allow these topics, ENOBUFS if this client read so slowly that events had
   *   to be dropped, ECONNRESET if the session was lost
   * @throws TypeError if the prefix is not text
   *
   * @example
   * ```ts
   * flux.events("greeting.").subscribe(({ topic, payload }) => console.log(topic, payload)); // greeting.hello { to: 'all' }
   * const payload = btoa(JSON.stringify({ to: "all" }) + "\0");
   * await flux.rpc("event.publish", { topic: "greeting.hello", flags: 0, payload });
   * ```
   */
  events(prefix: string, options: { signal?: AbortSignal | undefined } = {}): Observable<FluxEvent> {
    demand("prefix", prefix, text);
    checkOptions("events", options, { signal: abortSignal });
    const subscription = {
      topic: "event.subscribe",
      payload: { topic: prefix },
      streaming: true,
      sign: false,
      signal: options.signal,
    };
    return request(this.session, subscription, (event) => event as FluxEvent);
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
