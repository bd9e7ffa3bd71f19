/**
 * The proxy: WebSockets on one side, one Flux broker on the other. Node only.
 *
 * The examples of this reference import names of `flux-subprocess/proxy`, `flux-subprocess/embedded` and `flux-subprocess`.
 *
 * @module flux-subprocess/proxy
 */
import { isIPv6 } from "node:net";
import type { Signer } from "../src/signing/signer.js";
import { createAudit } from "./audit.js";
import { createVerifier } from "./auth/token.js";
import { concealUri } from "./broker/conceal.js";
import { BrokerConnection } from "./broker/connection.js";
import { resolveBrokerUri } from "./broker/resolve-uri.js";
import { type ProxyOptions, proxyConfig } from "./config.js";
import { loadDashboard } from "./dashboard.js";
import { Brakes } from "./flow/brakes.js";
import { Scheduler } from "./flow/scheduler.js";
import { checkOwner, gatewayCredential } from "./gateway.js";
import { type Listener, listen } from "./listener.js";
import { Liveness } from "./liveness/liveness.js";
import { probe } from "./liveness/probe.js";
import { Allowances } from "./session/allowances.js";
import { Sessions } from "./session/sessions.js";
import { createSigner } from "./signing/index.js";
import { Usage } from "./usage.js";
import { PollConnection } from "./watch/poll-connection.js";
import { Polls } from "./watch/polls.js";

export { FluxError, type FluxErrorCode, type FluxErrorOptions } from "../src/errors.js";
export type { CurveSignerOptions } from "../src/signing/curve.js";
export type { CurveCertificate } from "../src/signing/curve-certificate.js";
export type { CurveJwk, CurveKey, WebCryptoKey, WebCryptoKeyPair } from "../src/signing/curve-key.js";
export type { KvMap, KvType, KvTypes, KvValue } from "../src/signing/kv.js";
export type { Signer } from "../src/signing/signer.js";
export type { Jwk, JwkSet } from "./auth/jwk.js";
export { type GeneratedKeys, generateKeys, signToken, type TokenClaims } from "./auth/keys.js";
export type { VerifierOptions } from "./auth/token.js";
export type { ProxyOptions } from "./config.js";
export type { SignerOptions } from "./signing/index.js";
export type { MungeOptions } from "./signing/munged.js";

/** A proxy that listens. {@link createProxy} starts one. */
export interface RunningProxy extends AsyncDisposable {
  /** The URL for clients, such as "ws://127.0.0.1:8080/". */
  readonly url: string;
  /**
   * Closes every session with 1001 and stops listening. Further calls return the same promise.
   * @returns resolves within about a second
   */
  close(): Promise<void>;
}

/**
 * Starts a proxy. By default it listens on the loopback interface. It has no TLS: for other interfaces, put it behind a server that has.
 *
 * @param options the broker, the address, and how to verify tokens
 * @throws TypeError if an option is not valid
 * @throws FluxError EPERM if a gateway is not run by the instance owner
 * @throws FluxError if the broker cannot be reached, with the errno of connect(2), or refuses the connection
 * @throws the error of listen(2), such as EADDRINUSE, or of reading the dashboard
 *
 * @example
 * ```ts
 * const broker = await startEmbeddedBroker();
 * const { privateJwk, jwks } = await generateKeys();
 * const site = { issuer: "https://issuer.example", audience: "flux" };
 * const proxy = await createProxy({ uri: broker.uri, jwks, ...site });
 *
 * const token = await signToken(privateJwk, { ...site, subject: "notebook", ttlSeconds: 3600 });
 * const flux = connect(proxy.url, { token });
 * const { stdout } = await spawn(flux, ["echo", "hello"]).output();
 * console.log(new TextDecoder().decode(stdout).trim()); // hello
 *
 * flux.close();
 * await proxy.close();
 * await broker.close();
 * ```
 */
export async function createProxy(options: ProxyOptions): Promise<RunningProxy> {
  const config = proxyConfig({ ...options, uri: await resolveBrokerUri(options.uri) });
  const { uri, helloTimeoutMs, brokerTimeoutMs: timeoutMs, gateway, onFault, host, path } = config;
  const userid = process.getuid?.();
  if (userid === undefined) throw new TypeError("this platform has no user ids");
  const verify = await createVerifier(config, { onlyUserid: gateway ? undefined : userid, onFault });
  const signer = await ownSigner(config.signer, userid);
  const pages = config.dashboard ? await loadDashboard(path) : undefined;
  // A wrong URI, or a gateway of another user, must fail now and not at the first client.
  const first = await BrokerConnection.connect(uri, { timeoutMs });
  try {
    if (gateway) await checkOwner(first, userid, timeoutMs);
  } finally {
    first.close();
  }
  const connectBroker = concealUri(
    (client) =>
      BrokerConnection.connect(uri, {
        timeoutMs,
        ...(gateway ? { credential: gatewayCredential(client, userid) } : {}),
      }),
    onFault,
  );
  const audit = config.audit === false ? undefined : createAudit(config.audit, onFault);
  const usage = new Usage();
  const scheduler = new Scheduler();
  const polls = new Polls({ connectBroker, usage, scheduler });
  const probes = new PollConnection(() => connectBroker(userid));
  const liveness = new Liveness({ intervalMs: config.probeIntervalMs, probe: probe(probes) });
  const shared = { usage, brakes: new Brakes(), polls, scheduler, liveness };
  const surroundings = { verify, signer, ...shared, audit, onFault };
  const allowances = new Allowances(config.attaches);
  const sessions = new Sessions({ ...config, ...surroundings, allowances, connectBroker });
  const listener = await listen(
    { ...config, pages },
    { sessions, verify, audit, onFault, helloTimeoutMs },
  ).catch((error: unknown) => {
    audit?.close();
    throw error;
  });
  const url = `ws://${isIPv6(host) ? `[${host}]` : host}:${listener.address.port}${path}`;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= stop(sessions, [polls, liveness, probes], listener).finally(() => audit?.close());
    return closing;
  };
  return { url, close, [Symbol.asyncDispose]: close };
}

async function stop(sessions: Sessions, others: { close(): void }[], listener: Listener): Promise<void> {
  sessions.shutdown();
  for (const other of others) other.close();
  await listener.close();
}

/** The signer of the proxy's own user. @throws TypeError if it signs for another user */
async function ownSigner(signer: ProxyOptions["signer"], userid: number): Promise<Signer | undefined> {
  if (signer === undefined) return undefined;
  const made = "sign" in signer ? signer : await createSigner(signer);
  if (made.userid === userid) return made;
  throw new TypeError(`signer is of user ${made.userid}, and the proxy runs as user ${userid}`);
}
