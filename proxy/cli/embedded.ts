/** A broker and a proxy in this process, with keys of their own, to try things without Flux. */
import { generateKeys, signToken } from "../auth/keys.js";
import { startEmbeddedBroker } from "../embedded/index.js";
import { createProxy } from "../index.js";

const CLAIMS = { issuer: "flux-subprocess-embedded", audience: "flux-subprocess", subject: "embedded" };

/** The lifetime of its token. */
const TTL_SECONDS = 12 * 3600;

/** A broker and a proxy in this process, for one command. */
export interface EmbeddedStack {
  /** The proxy's URL. */
  url: string;
  /** A token for it. */
  token: string;
  close(): Promise<void>;
}

/** @param options where the proxy listens, by default on a free port of the loopback interface, and whether it has the dashboard */
export async function startEmbeddedStack(
  size: number,
  options: { host?: string; port?: number; dashboard?: boolean } = {},
): Promise<EmbeddedStack> {
  const broker = await startEmbeddedBroker({ size });
  try {
    const { privateJwk, jwks } = await generateKeys();
    const { issuer, audience } = CLAIMS;
    const proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience, ...options });
    return {
      url: proxy.url,
      token: await signToken(privateJwk, { ...CLAIMS, ttlSeconds: TTL_SECONDS }),
      close: async () => {
        await proxy.close();
        await broker.close();
      },
    };
  } catch (error) {
    await broker.close();
    throw error;
  }
}
