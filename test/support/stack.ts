/** A broker, a proxy and clients, wired as a user would wire them: real sockets all the way. */
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy } from "../../proxy/index.js";
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
  /** A handle of its own session; closed with the stack. */
  connect(): Flux;
  close(): Promise<void>;
}

/** @param uri of a broker that runs; absent: an embedded broker of `size` ranks */
export async function startStack({
  uri,
  size = 4,
  gateway = false,
}: {
  uri?: string | undefined;
  size?: number;
  gateway?: boolean;
} = {}): Promise<Stack> {
  const broker =
    uri === undefined ? await startEmbeddedBroker({ size, sdexec: true, shells: [{ userid }] }) : undefined;
  const brokerUri = broker?.uri ?? (uri as string);
  const { privateJwk, jwks } = await generateKeys();
  const proxy = await createProxy({ uri: brokerUri, jwks, issuer, audience, gateway });
  const token = await signToken(privateJwk, { issuer, audience, subject: "tester", ttlSeconds: 3600 });
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
    async close() {
      for (const flux of handles) flux.close();
      await proxy.close();
      await broker?.close();
    },
  };
}
