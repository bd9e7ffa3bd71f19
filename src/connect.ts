import { Flux } from "./flux.js";
import { Session } from "./session/session.js";
import { webSocketConnector } from "./transport/websocket.js";

/** The token that says who the client is: a JWT, or what gives one. */
export type Token = string | Promise<string> | (() => string | Promise<string>);

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** A JWT that the proxy accepts, or a function or promise that gives one. */
  token: Token;
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
export function connect(url: string | URL, { token }: ConnectOptions): Flux {
  return new Flux(new Session(webSocketConnector(webSocketUrl(url)), tokenSource(token)));
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

function tokenSource(token: Token): () => Promise<string> {
  if (typeof token === "function") return async () => token();
  if (token instanceof Promise) {
    // Whoever waits for the session hears of it; the promise itself may be rejected long before.
    token.catch(() => {});
  } else if (typeof token !== "string" || token === "") {
    throw new TypeError("the token is a string that is not empty, a promise of one or a function");
  }
  return async () => token;
}
