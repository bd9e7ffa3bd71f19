/** A broker behind a relay that records, proxies in front of it, and attempts to have something done. */
import { importJWK, type JWK, type JWTPayload, SignJWT } from "jose";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type GeneratedKeys, generateKeys, type RunningProxy } from "../../proxy/index.js";
import type { RequestMessage } from "../../proxy/wire/message.js";
import { createGuest, type Guest } from "../unit/embedded/guest.js";
import { RawClient } from "../unit/proxy/support/raw-client.js";
import { Relay } from "./relay.js";

export const ME = process.getuid?.() ?? 0;
export const GUEST = ME + 4242;
export const ALL = "exec attach write kill wait list watch rpc";
export const ISSUER = "https://issuer.test";
export const AUDIENCE = "flux";

export const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** The claims of a token that is good for everything. */
export const goodClaims = (): JWTPayload => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: "alice",
  uid: ME,
  exp: inSeconds(600),
  iat: inSeconds(0),
  scope: ALL,
});

/** Less than a test may take. */
const ATTEMPT_MS = 20_000;

/** The result of an attempt. */
export interface Attempt {
  /** The reason of the refusal; undefined if the request was accepted. */
  refused: string | undefined;
  /** The requests that the broker received. */
  sent: RequestMessage[];
  /** The number of connections to the broker, and of bytes on them. */
  connections: number;
  bytes: number;
}

export type ProxyKind = "plain" | "signing" | "gateway";

export class World {
  readonly #proxies: Record<ProxyKind, RunningProxy>;

  private constructor(
    readonly keys: GeneratedKeys,
    readonly broker: EmbeddedBroker,
    readonly relay: Relay,
    readonly guest: Guest,
    readonly me: Guest,
    proxies: Record<ProxyKind, RunningProxy>,
  ) {
    this.#proxies = proxies;
  }

  static async start(): Promise<World> {
    const keys = await generateKeys();
    const [guest, me] = await Promise.all([createGuest(GUEST), createGuest(ME)]);
    const shells = [guest, me].map(({ userid, certificate }) => ({ userid, certificate }));
    const broker = await startEmbeddedBroker({ size: 4, shells });
    const relay = await Relay.start(broker.uri);
    const options = { uri: relay.uri, jwks: keys.jwks, issuer: ISSUER, audience: AUDIENCE };
    const [plain, signing, gateway] = await Promise.all([
      createProxy(options),
      createProxy({ ...options, signer: { mechanism: "none" } }),
      createProxy({ ...options, gateway: true, signer: { mechanism: "none" } }),
    ]);
    await relay.idle();
    return new World(keys, broker, relay, guest, me, { plain, signing, gateway });
  }

  url(kind: ProxyKind = "plain"): string {
    return this.#proxies[kind].url;
  }

  /** A token of the trusted issuer, with claims and a header as they are given. */
  async token(claims: JWTPayload = goodClaims(), header: object = {}, jwk: JWK = this.keys.privateJwk) {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: this.keys.privateJwk.kid ?? "", ...header })
      .sign(await importJWK(jwk, "EdDSA"));
  }

  /** Opens a session; says why not if it cannot. */
  async open(token: string, kind?: ProxyKind): Promise<RawClient> {
    const client = await RawClient.connect(this.url(kind));
    client.text({ type: "hello", token });
    await client.until(() => client.welcome !== undefined);
    return client;
  }

  /**
   * Runs an attempt in an open session. Only the requests after the preparation count.
   * @param act resolves with the reason of the refusal, or undefined on acceptance
   */
  async attempt<T>(
    prepare: () => Promise<{ client: RawClient; state: T }>,
    act: (client: RawClient, state: T) => Promise<string | undefined>,
  ): Promise<Attempt> {
    const { client, state } = await prepare();
    const before = this.#mark();
    // Also of an attempt that never ends: those that follow wait for the relay to be idle.
    const close = setTimeout(() => client.close(), ATTEMPT_MS);
    const refused = await act(client, state);
    clearTimeout(close);
    await client.close();
    return { refused, ...(await this.#since(before)) };
  }

  async close(): Promise<void> {
    for (const proxy of Object.values(this.#proxies)) await proxy.close();
    await this.relay.close();
    await this.broker.close();
  }

  #mark() {
    const { sent, connections, bytes } = this.relay;
    return { sent: sent.length, connections, bytes };
  }

  /** When every connection has ended, nothing is on its way any more. */
  async #since(before: { sent: number; connections: number; bytes: number }) {
    await this.relay.idle();
    const { sent, connections, bytes } = this.relay;
    return {
      sent: sent.slice(before.sent),
      connections: connections - before.connections,
      bytes: bytes - before.bytes,
    };
  }
}

/** One row of a table. */
export interface Refusal {
  name: string;
  /** The refusal that the client receives. */
  reason: RegExp;
  bad(world: World): Promise<Attempt>;
  /** Differs from `bad` in the one thing that the row is about. */
  good(world: World): Promise<Attempt>;
}
