import { Flux } from "./flux.js";
import { func, natural } from "./protocol/checks.js";
import { checkOptions, unchecked } from "./protocol/options.js";
import { RETRY_OPTIONS, type RetryOptions } from "./session/retry.js";
import { type Prove, SessionToken, type TokenSource } from "./session/session-token.js";
import { Sessions } from "./session/sessions.js";
import type { ClientSigner } from "./session/signed-calls.js";
import { webSocketConnector } from "./transport/websocket.js";

/** An access token (RFC 9068), a promise of one, or a function that returns either. */
export type Token = string | Promise<string> | (() => string | Promise<string>);

/** Options of {@link connect}. */
export interface ConnectOptions {
  /**
   * A JWT that the proxy accepts. A function is called again for each connection and before the token expires; the session then
   * continues with the new token, without an interruption.
   */
  token: Token;
  /**
   * Proves possession of the key that the token is bound to (`cnf.jkt`, RFC 7800): see {@link keyProof}.
   * @default the proxy refuses such a token
   */
  prove?: Prove | undefined;
  /**
   * Signs requests in the client (RFC 42 Request Authentication), so that the key stays here: see {@link curveSigner}, and
   * {@link clientSigner} for a signer of your own.
   * @default the proxy signs if it can
   */
  signer?: ClientSigner | undefined;
  /**
   * When to try again: the first connection, a lost one, and a session after one that was lost. With `false` the handle is closed
   * instead. Each attempt calls `token` again; a refused token that is no function closes the handle.
   * @default as {@link RetryOptions} says
   */
  retry?: RetryOptions | false | undefined;
  /**
   * Milliseconds that the session and its processes outlive a lost connection. The proxy grants at most its own limit, 10 minutes by
   * default and up to 7 days (`--max-grace`), to a limited number of sessions: the status "open" has the value that it has granted.
   * @default the proxy's, 2 minutes unless its administrator has set another
   */
  grace?: number | undefined;
}

/**
 * Connects to a proxy. Returns at once: requests queue until the session is open.
 * Python's counterpart is `flux.Flux()`.
 *
 * @param url the proxy's URL, with the scheme ws:, wss:, http: or https:
 * @param options the token, and how to sign and resume
 * @returns a handle with one session after another. Requests that were under way when a session was lost fail with ECONNRESET; those
 *   that were not sent wait for the next session, or for their `signal`. `status$` says why there is no session
 * @throws TypeError if `url` is not such a URL, or an option is not valid
 *
 * @example
 * ```ts
 * const flux = connect(url, { token });
 * const { rank, size } = await firstValueFrom(flux.status$.pipe(filter((status) => status.state === "open")));
 * console.log(`connected to rank ${rank} of ${size}`); // connected to rank 0 of 4
 * flux.close();
 * ```
 */
export function connect(url: string | URL, options: ConnectOptions): Flux {
  checkOptions("connect", options, {
    token: unchecked,
    prove: func,
    signer: unchecked,
    retry: unchecked,
    grace: natural,
  });
  const { token, prove, signer, retry, grace } = options;
  if (retry !== undefined && retry !== false) checkOptions("retry", retry, RETRY_OPTIONS);
  if (signer && !("calls" in signer)) throw new TypeError("signer was not made by clientSigner");
  const connector = webSocketConnector(webSocketUrl(url));
  return new Flux(
    new Sessions(
      connector,
      new SessionToken(tokenSource(token), prove, typeof token !== "function"),
      signer,
      { retry, grace },
    ),
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
    // The session reports a rejection when it needs the token. Until then it must not count as unhandled.
    token.catch(() => {});
  } else if (typeof token !== "string" || token === "") {
    throw new TypeError("token must be a non-empty string, a promise or a function");
  }
  return async () => token;
}
