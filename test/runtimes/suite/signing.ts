import { equal, ok, rejection } from "./check.js";
import { type Case, type Context, utf8 } from "./context.js";

/** A user other than the instance owner: the world starts a proxy for it, and a service that requires signatures. */
interface Guest {
  url: string;
  token: string;
  service: string;
  userid: number;
}

/** A WebCrypto key pair whose private half is not extractable. */
async function keyPair(): Promise<CryptoKeyPair> {
  const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  ok(!pair.privateKey.extractable, "the private key is not extractable");
  return pair;
}

async function asGuest(context: Context, pair: CryptoKeyPair): Promise<Guest> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const key = encodeURIComponent(btoa(String.fromCharCode(...raw)));
  return await context.control<Guest>(`guest?key=${key}`);
}

export const signingCases: Case[] = [
  {
    name: "signs a guest's requests with a non-extractable key",
    async test(context) {
      const { client, connect, rx } = context;
      const pair = await keyPair();
      const { url, token, service, userid } = await asGuest(context, pair);
      const signer = await client.curveSigner({ key: pair, userid });
      const flux = connect(url, { token, signer });
      const echoed = client.exec(flux, ["cat"], { service, stdin: "signed\0input\n", nodeid: 1 });
      const { stdout, outcome } = await rx.firstValueFrom(echoed.pipe(client.collect()));
      equal([utf8(stdout), outcome], ["signed\0input\n", { kind: "exited", code: 0 }]);
      const pid = await client.rexecBg(flux, ["sleep", "60"], { service, waitable: true }).getPid();
      await client.kill(flux, { service, pid }).get();
      equal(await client.wait(flux, { service, pid }).getStatus(), 15);
      const refused = await rejection(client.list(flux, { service, sign: false }).get());
      equal((refused as { code: string }).code, "EPERM");
      flux.close();
    },
  },
  {
    name: "signs the same with the JWK and the PEM of a key",
    async test({ client }) {
      const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
      const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
      const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
      const base64 = btoa(String.fromCharCode(...der));
      const pem = `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
      const at = 1_700_000_000_000;
      const signatures = await Promise.all(
        [pair, jwk, pem].map(async (key) => (await client.curveSigner({ key, userid: 7 })).sign("{}", at)),
      );
      equal(new Set(signatures).size, 1);
    },
  },
  {
    name: "proves a token that is bound to a key, and not one that is bound to another",
    async test({ client, connect, control, rx }) {
      const pair = await keyPair();
      const { x } = await crypto.subtle.exportKey("jwk", pair.publicKey);
      const token = await control<string>(`token?ttl=60&x=${x}`);
      const flux = connect(undefined, { token, prove: client.keyProof(pair) });
      await client.list(flux).get();
      flux.close();
      const other = connect(undefined, { token, prove: client.keyProof(await keyPair()) });
      const status = await rx.lastValueFrom(other.status$);
      equal(status.state === "closed" && status.error?.code, "EACCES");
    },
  },
];
