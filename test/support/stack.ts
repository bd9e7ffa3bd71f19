/** A broker, a proxy and clients, connected as a user connects them, with real sockets throughout. */
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type ProxyOptions, type RunningProxy } from "../../proxy/index.js";
import { connect, type Flux } from "../../src/index.js";

const issuer = "https://issuer.test";
const audience = "flux-subprocess";
const userid = process.getuid?.() ?? 0;

export interface Stack {
  /** The proxy's URL. */
  url: string;
  /** The broker's URI. */
  uri: string;
  /** The rexec service of its job shell; undefined of a broker that was not started here. */
  shell: string | undefined;
  /** A token that the proxy accepts. */
  token: string;
  /** A handle with a session of its own. The stack closes it. */
  connect(): Flux;
  /** A further proxy, with these options beside the required ones, and a token that it accepts. Its caller closes it. */
  proxyWith(options: Partial<ProxyOptions>): Promise<{ proxy: RunningProxy; token: string }>;
  close(): Promise<void>;
}

/** @param uri of a running broker. @default an embedded broker of `size` ranks */
export async function startStack({
  uri,
  size = 4,
  hosts,
  gateway = false,
  scope,
  details,
}: {
  uri?: string | undefined;
  size?: number;
  /** The host of each rank of an embedded broker. */
  hosts?: readonly string[];
  gateway?: boolean;
  /** The scope and the authorization details of the token. @default those of a token without either */
  scope?: string;
  details?: readonly object[];
} = {}): Promise<Stack> {
  const broker =
    uri === undefined
      ? await startEmbeddedBroker({ size, ...(hosts ? { hosts } : {}), sdexec: true, shells: [{ userid }] })
      : undefined;
  const brokerUri = broker?.uri ?? (uri as string);
  const { privateJwk, jwks } = await generateKeys();
  const proxy = await createProxy({ uri: brokerUri, jwks, issuer, audience, gateway });
  const claims = { issuer, audience, subject: "tester", ttlSeconds: 3600, scope, details };
  const token = await signToken(privateJwk, claims);
  const handles: Flux[] = [];
  return {
    url: proxy.url,
    uri: brokerUri,
    shell: broker?.shells[0],
    token,
    connect() {
      const flux = connect(proxy.url, { token });
      handles.push(flux);
      return flux;
    },
    proxyWith: async (options) => ({
      proxy: await createProxy({ uri: brokerUri, jwks, issuer, audience, ...options }),
      token,
    }),
    async close() {
      for (const flux of handles) flux.close();
      await proxy.close();
      await broker?.close();
    },
  };
}
