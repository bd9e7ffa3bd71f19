/** The world of the suite: brokers, proxies, a fault injector, and an HTTP server that makes tokens, cuts and guests. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { calculateJwkThumbprint } from "jose";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy } from "../../proxy/index.js";
import { plainCertificate } from "../../src/signing/curve-certificate.js";
import { startInjector } from "../chaos/injector.js";
import type { World } from "./suite/context.js";

const issuer = "https://issuer.test";
const audience = "flux-subprocess";
const SIZE = 3;
const GUEST = 71_001;

export interface RunningWorld {
  world: World;
  close(): Promise<void>;
}

export async function startWorld(): Promise<RunningWorld> {
  const { privateJwk, jwks } = await generateKeys();
  const closing: (() => Promise<void>)[] = [];
  const token = (ttlSeconds: number, more: { userid?: number; jkt?: string } = {}) =>
    signToken(privateJwk, { issuer, audience, subject: "tester", ttlSeconds, ...more });
  const serve = async (options: Parameters<typeof startEmbeddedBroker>[0], gateway: boolean) => {
    const broker = await startEmbeddedBroker(options);
    closing.push(() => broker.close());
    const proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience, gateway });
    closing.push(() => proxy.close());
    return { broker, proxy };
  };
  const { proxy } = await serve({ size: SIZE }, false);
  const injector = await startInjector({ target: proxy.url, seed: 1 });
  const nobody = await startInjector({ target: proxy.url, seed: 1 });
  nobody.refusing = true;
  closing.push(
    () => injector.close(),
    () => nobody.close(),
  );

  const cut = async () => {
    const links = injector.connections;
    injector.resetAll();
    await Promise.all(links.map(({ closed }) => closed));
    return null;
  };
  const routes: Record<string, (parameters: URLSearchParams) => Promise<unknown>> = {
    /** A token for `ttl` seconds, bound to the Ed25519 key `x` if given. */
    async "/token"(parameters) {
      const x = parameters.get("x");
      const jkt = x ? await calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x }) : undefined;
      return token(Number(parameters.get("ttl")), jkt ? { jkt } : {});
    },
    /** Ends every connection. After the answer, no byte passes over any of them. */
    "/cut": cut,
    /** Ends every connection and refuses new ones. */
    async "/refuse"() {
      injector.refusing = true;
      return cut();
    },
    async "/accept"() {
      injector.refusing = false;
      return null;
    },
    /** A job shell of a guest with the public key `key`, in standard base64, and a gateway to it. */
    async "/guest"(parameters) {
      const certificate = plainCertificate(parameters.get("key") ?? "");
      const shells = [{ userid: GUEST, certificate, mechanisms: ["curve"] as const }];
      const { broker, proxy } = await serve({ size: 2, shells }, true);
      const [service] = broker.shells;
      return { url: proxy.url, token: await token(600, { userid: GUEST }), service, userid: GUEST };
    },
  };
  const answer = async ({ url = "" }: IncomingMessage) => {
    const { pathname, searchParams } = new URL(url, "http://control");
    const route = routes[pathname];
    if (route === undefined) throw new Error(`there is no ${pathname}`);
    return route(searchParams);
  };
  const server = createServer((request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    answer(request).then(
      (value) => response.end(JSON.stringify(value)),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    world: {
      url: injector.url(proxy.url),
      token: await token(3600),
      nobody: nobody.url(proxy.url),
      size: SIZE,
      control: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    },
    async close() {
      for (const close of closing.reverse()) await close();
    },
  };
}
