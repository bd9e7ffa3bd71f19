/** The proxy: WebSockets on one side, one Flux broker on the other. Node only. */
import { isIPv6 } from "node:net";
import { createVerifier } from "./auth/token.js";
import { BrokerConnection } from "./broker/connection.js";
import { type ProxyOptions, proxyConfig } from "./config.js";
import { listen } from "./listener.js";

export { FluxError, type FluxErrorCode } from "../src/errors.js";
export { type GeneratedKeys, generateKeys, signToken, type TokenClaims } from "./auth/keys.js";
export type { ProxyOptions } from "./config.js";

export interface RunningProxy extends AsyncDisposable {
  /** What clients connect to, such as "ws://127.0.0.1:8080/". */
  readonly url: string;
  /**
   * Closes every session with 1001 and stops listening. Resolves within about a second, and may be called
   * again.
   */
  close(): Promise<void>;
}

/**
 * Starts a proxy. It listens without TLS: put it behind a server that has it, unless it listens on the
 * loopback interface alone, as it does by default.
 * @throws TypeError if an option cannot be used
 * @throws FluxError if the broker cannot be reached, with the errno of connect(2), or refuses the connection
 * @throws the error of listen(2), such as EADDRINUSE
 */
export async function createProxy(options: ProxyOptions): Promise<RunningProxy> {
  const config = proxyConfig(options);
  const verify = await createVerifier(config, { onlyUserid: process.getuid?.(), onFault: config.onFault });
  const connectBroker = () => BrokerConnection.connect(config.uri, { timeoutMs: config.brokerTimeoutMs });
  // A wrong URI is worth knowing of now, and not at the first client.
  (await connectBroker()).close();
  const { helloTimeoutMs, onFault, host, path } = config;
  const listener = await listen(config, { verify, connectBroker, onFault, helloTimeoutMs });
  const url = `ws://${isIPv6(host) ? `[${host}]` : host}:${listener.address.port}${path}`;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= listener.close();
    return closing;
  };
  return { url, close, [Symbol.asyncDispose]: close };
}
