/** A key that never leaves the browser signs for a guest, through a gateway that cannot sign for it. */
import { calculateJwkThumbprint, type JWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy } from "../../proxy/index.js";
import { plainCertificate } from "../../src/signing/curve-certificate.js";
import { type ClientPage, openClientPage, type PageGlobals } from "../support/page.js";

const issuer = "https://issuer.test";
const audience = "flux-subprocess";
const GUEST = 71001;

describe("headless Chromium, with a non-extractable Ed25519 key", () => {
  const cleanups: (() => Promise<void>)[] = [];
  let page: ClientPage["page"];
  let service: string;
  let url: string;
  /** A token that is bound to the key with this thumbprint. */
  let bound: (jkt: string) => Promise<string>;

  beforeAll(async () => {
    const opened = await openClientPage();
    cleanups.push(opened.close);
    page = opened.page;
    const publicKey = await page.evaluate(async () => {
      const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
      if (!("privateKey" in pair) || pair.privateKey.extractable)
        throw new Error("not a non-extractable pair");
      Object.assign(globalThis, { pair });
      const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
      return btoa(String.fromCharCode(...raw));
    });
    const certificate = plainCertificate(publicKey);
    const broker = await startEmbeddedBroker({
      size: 2,
      shells: [{ userid: GUEST, certificate, mechanisms: ["curve"] }],
    });
    cleanups.push(() => broker.close());
    [service = ""] = broker.shells;
    const { privateJwk, jwks } = await generateKeys();
    const proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience, gateway: true });
    cleanups.push(() => proxy.close());
    url = proxy.url;
    bound = (jkt) => signToken(privateJwk, { ...claims, jkt });
    const claims = { issuer, audience, subject: "alice", userid: GUEST, ttlSeconds: 600 };
    await page.evaluate(
      async ([url, token, userid]) => {
        const { client, pair } = globalThis as unknown as PageGlobals & { pair: CryptoKeyPair };
        const signer = await client.curveSigner({ key: pair, userid });
        Object.assign(globalThis, { flux: client.connect(url, { token, signer }) });
      },
      [proxy.url, await signToken(privateJwk, claims), GUEST] as const,
    );
  }, 120_000);

  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  it("runs a process, writes to it, lists and signals it", async () => {
    const result = await page.evaluate(async (service) => {
      const { client, flux } = globalThis as unknown as PageGlobals;
      const echoed = client.exec(flux, ["cat"], { service, stdin: "signed\0input\n", nodeid: 1 });
      const { stdout, outcome } = await client.rx.firstValueFrom(echoed.pipe(client.collect()));
      const options = { service, label: "mine", waitable: true };
      const pid = await client.rexecBg(flux, ["sleep", "60"], options).getPid();
      const labels = (await client.list(flux, { service }).getProcesses()).map(({ label }) => label);
      await client.kill(flux, { service, pid }).get();
      const status = await client.wait(flux, { service, label: "mine" }).getStatus();
      return { text: new TextDecoder().decode(stdout), outcome, labels, status };
    }, service);
    expect(result).toEqual({
      text: "signed\0input\n",
      outcome: { kind: "exited", code: 0 },
      labels: ["mine"],
      status: 15,
    });
  });

  it("is refused unsigned requests, and requests about other users' processes", async () => {
    const codes = await page.evaluate(async (service) => {
      const { client, flux } = globalThis as unknown as PageGlobals;
      const code = (rpc: { get(): Promise<unknown> }) => rpc.get().catch((e) => `${e.code}: ${e.reason}`);
      return [
        await code(client.list(flux, { service, sign: false })),
        await code(client.list(flux, { sign: false })),
      ];
    }, service);
    expect(codes).toEqual(["EPERM: request signature required", "EPERM: Request requires owner credentials"]);
  });

  it("proves a token that is bound to the key, and not one that is bound to another", async () => {
    const jwk = await page.evaluate(async () => {
      const { pair } = globalThis as unknown as { pair: CryptoKeyPair };
      return crypto.subtle.exportKey("jwk", pair.publicKey);
    });
    const token = await bound(await calculateJwkThumbprint(jwk as JWK));
    const states = await page.evaluate(
      async ([url, token]) => {
        const { client, pair } = globalThis as unknown as PageGlobals & { pair: CryptoKeyPair };
        const other = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
        const end = async (prove?: Parameters<typeof client.connect>[1]["prove"]) => {
          const flux = client.connect(url, { token, prove });
          const status = await client.rx.firstValueFrom(
            flux.status$.pipe(client.rx.skipWhile(({ state }) => state === "connecting")),
          );
          flux.close();
          return status.state === "closed" ? status.error?.code : status.state;
        };
        return [
          await end(client.keyProof(pair)),
          await end(client.keyProof(other as CryptoKeyPair)),
          await end(),
        ];
      },
      [url, token] as const,
    );
    expect(states).toEqual(["open", "EACCES", "EACCES"]);
  });
});
