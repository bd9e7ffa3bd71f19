// Code of users of the Node parts, for the compiler alone.
import type { FluxError } from "flux-subprocess";
import { startEmbeddedBroker } from "flux-subprocess/embedded";
import { createProxy, generateKeys, FluxError as ProxyError } from "flux-subprocess/proxy";

export async function main(): Promise<string> {
  await using broker = await startEmbeddedBroker({ size: 2 });
  const { jwks } = await generateKeys();
  await using proxy = await createProxy({ uri: broker.uri, jwks, issuer: "me", audience: "flux" });
  const error: FluxError = new ProxyError("ENOENT");
  return `${proxy.url} ${error.code}`;
}
