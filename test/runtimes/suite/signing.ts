import { equal, ok, rejection } from "./check.js";
import { type Case, type Context, utf8 } from "./context.js";

/** A user who is not the owner, as the world makes one: a proxy that speaks for it, and a service that wants signatures. */
interface Guest {
  url: string;
  token: string;
  service: string;
  userid: number;
}

/** A key pair of WebCrypto, whose private half cannot leave it. */
async function keyPair(): Promise<CryptoKeyPair> {
  const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  ok(!pair.privateKey.extractable, "the key cannot be had");
  return pair;
}

async function asGuest(context: Context, pair: CryptoKeyPair): Promise<Guest> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const key = encodeURIComponent(btoa(String.fromCharCode(...raw)));
  return await context.control<Guest>(`guest?key=${key}`);
}

export const signingCases: Case[] = [
  {
    name: "signs with a non-extractable key what a guest asks for",
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
    name: "signs with the JWK and the PEM of a key alike",
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
    name: "proves a token that is bound to a key, and no other",
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
