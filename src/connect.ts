import { Flux } from "./flux.js";
import { demand, natural, optional } from "./protocol/checks.js";
import type { RetryOptions } from "./session/retry.js";
import { Session } from "./session/session.js";
import { type Prove, SessionToken, type TokenSource } from "./session/session-token.js";
import type { ClientSigner } from "./session/signed-calls.js";
import { webSocketConnector } from "./transport/websocket.js";

/** The token that says who the client is: a JWT, or what gives one. */
export type Token = string | Promise<string> | (() => string | Promise<string>);

/** Options of {@link connect}. */
export interface ConnectOptions {
  /**
   * A JWT that the proxy accepts, or a function or promise that gives one. A function is asked again before the token
   * ends; what it gives then is taken without an interruption.
   */
  token: Token;
  /** Proves possession of the key that the token is bound to (`cnf.jkt`): see `keyProof`. */
  prove?: Prove | undefined;
  /**
   * Signs requests here, with a key that never leaves this place: see `curveSigner`, and `clientSigner` for one of your own. Without one, the proxy signs what
   * is to be signed, if it can.
   */
  signer?: ClientSigner | undefined;
  /**
   * How a lost connection is tried again; `false`: not at all, and the session ends with it. Each attempt asks `token`
   * anew. The first connection is not tried again.
   */
  retry?: RetryOptions | false | undefined;
  /**
   * For how many milliseconds the session and its processes outlive a lost connection. Default, and at most: what the
   * proxy allows.
   */
  grace?: number | undefined;
}

/**
 * Connects to a proxy. Returns at once: what is asked of the handle waits until it is open.
 * Python's counterpart is `flux.Flux()`.
 *
 *     const flux = connect("wss://cluster.example/flux", { token });
 *
 * @param url the proxy's, ws:, wss:, http: or https:
 * @throws TypeError if the url is none. That the proxy cannot be reached or refuses the token is an error of
 *   `status$` and of every request: FluxError with ECONNREFUSED or EACCES
 */
export function connect(url: string | URL, options: ConnectOptions): Flux {
  const { token, prove, signer, retry, grace } = options;
  demand("grace", grace, (value) => optional(value, natural));
  if (signer && !("calls" in signer)) throw new TypeError("the signer is none of clientSigner's");
  const connector = webSocketConnector(webSocketUrl(url));
  return new Flux(
    new Session(connector, new SessionToken(tokenSource(token), prove), signer, { retry, grace }),
  );
}

function webSocketUrl(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new TypeError(`not a URL: ${JSON.stringify(String(url))}`, { cause });
  }
  if (!/^(ws|http)s?:$/.test(parsed.protocol)) {
    throw new TypeError(`the proxy's URL is ws:, wss:, http: or https:, not ${parsed.protocol}`);
  }
  parsed.protocol = parsed.protocol.replace("http", "ws");
  parsed.hash = "";
  return parsed.href;
}

function tokenSource(token: Token): TokenSource {
  if (typeof token === "function") return async () => token();
  if (token instanceof Promise) {
    // Whoever waits for the session hears of it; the promise itself may be rejected long before.
    token.catch(() => {});
  } else if (typeof token !== "string" || token === "") {
    throw new TypeError("the token is a string that is not empty, a promise of one or a function");
  }
  return async () => token;
}
