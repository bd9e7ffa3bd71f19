/** Proofs of possession that are refused, for tokens that are bound to a key. */
import { createHash } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { RawClient } from "../../unit/proxy/support/raw-client.js";
import { type Attempt, goodClaims, inSeconds, type Refusal, type World } from "../world.js";

interface Holder {
  token: string;
  publicJwk: JWK;
  privateKey: CryptoKey;
}

async function holder(world: World): Promise<Holder> {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const jkt = await calculateJwkThumbprint(publicJwk);
  return { token: await world.token({ ...goodClaims(), cnf: { jkt } }), publicJwk, privateKey };
}

const ath = (token: string) => createHash("sha256").update(token).digest("base64url");

interface Parts {
  header?: object;
  payload?: object;
  key?: CryptoKey;
}

async function proof(
  { token, publicJwk, privateKey }: Holder,
  nonce: string,
  parts: Parts = {},
): Promise<string> {
  return new SignJWT({ nonce, ath: ath(token), iat: inSeconds(0), ...parts.payload })
    .setProtectedHeader({ typ: "flux-subprocess-proof+jwt", alg: "EdDSA", jwk: publicJwk, ...parts.header })
    .sign(parts.key ?? privateKey);
}

/** Says hello, and answers the challenge with what `answer` makes of its nonce. */
async function challenged(
  world: World,
  answer: (owner: Holder, nonce: string) => Promise<object>,
): Promise<Attempt> {
  const owner = await holder(world);
  return world.attempt(
    async () => ({ client: await RawClient.connect(world.url()), state: undefined }),
    async (client) => {
      client.text({ type: "hello", token: owner.token });
      await client.until(() => client.challenges.length > 0);
      client.text(await answer(owner, client.challenges[0] as string));
      const closed = client.closed.then(({ code, reason }) => `${code} ${reason}`);
      const welcomed = client.until(() => client.welcome !== undefined).catch(() => {});
      await Promise.race([closed, welcomed]);
      return client.welcome === undefined ? closed : undefined;
    },
  );
}

const message = (text: string) => ({ type: "proof", proof: text });

const answers = (
  name: string,
  reason: RegExp,
  bad: (owner: Holder, nonce: string, world: World) => Promise<object>,
): Refusal => ({
  name: `proof: ${name}`,
  reason,
  bad: (world) => challenged(world, (owner, nonce) => bad(owner, nonce, world)),
  good: (world) => challenged(world, async (owner, nonce) => message(await proof(owner, nonce))),
});

/** A row of a proof that differs from the good one in some part. */
const parts = (
  name: string,
  reason: RegExp,
  change: (owner: Holder, world: World) => Promise<Parts> | Parts,
) =>
  answers(name, reason, async (owner, nonce, world) =>
    message(await proof(owner, nonce, await change(owner, world))),
  );

/** A pair of somebody else's. */
const stranger = () => generateKeyPair("EdDSA", { extractable: true });

/** Says hello with the owner's token on a socket of its own, and gives its nonce. */
async function otherNonce(world: World, { token }: Holder): Promise<string> {
  const client = await RawClient.connect(world.url());
  client.text({ type: "hello", token });
  await client.until(() => client.challenges.length > 0);
  await client.close();
  return client.challenges[0] as string;
}

export const PROOFS: Refusal[] = [
  answers("replayed from another socket", /^4401 proof has another nonce/, async (owner, _, world) =>
    message(await proof(owner, await otherNonce(world, owner))),
  ),
  parts("of a nonce that was made up", /another nonce/, () => ({ payload: { nonce: "x".repeat(43) } })),
  parts("without a nonce", /another nonce/, () => ({ payload: { nonce: undefined } })),
  parts("by another key", /another key than the token's/, async () => {
    const { publicKey, privateKey } = await stranger();
    return { header: { jwk: await exportJWK(publicKey) }, key: privateKey };
  }),
  parts("by another key, under the token's", /does not verify/, async () => ({
    key: (await stranger()).privateKey,
  })),
  parts("for another token", /for another token/, async (_, world) => ({
    payload: { ath: ath(await world.token()) },
  })),
  parts("without a token's hash", /for another token/, () => ({ payload: { ath: undefined } })),
  parts("made two minutes ago", /iat over 60 seconds/, () => ({ payload: { iat: inSeconds(-120) } })),
  parts("made in two minutes", /iat over 60 seconds/, () => ({ payload: { iat: inSeconds(120) } })),
  parts("without a time", /iat over 60 seconds/, () => ({ payload: { iat: undefined } })),
  parts("of another type", /not of type/, () => ({ header: { typ: "dpop+jwt" } })),
  parts("without its key", /has no jwk/, () => ({ header: { jwk: undefined } })),
  parts("with the private key in its header", /not public/, async ({ privateKey }) => ({
    header: { jwk: await exportJWK(privateKey) },
  })),
  parts("with a jku in its header", /has a jku/, () => ({ header: { jku: "https://evil.test" } })),
  answers("unsigned", /algorithm that is not allowed/, async ({ publicJwk, token }, nonce) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const header = { typ: "flux-subprocess-proof+jwt", alg: "none", jwk: publicJwk };
    return message(`${part(header)}.${part({ nonce, ath: ath(token), iat: inSeconds(0) })}.`);
  }),
  answers("no JWS", /is not a JWS/, async () => message("x")),
  answers(
    "another hello in its place",
    /^4400 the answer to a challenge is not proof/,
    async ({ token }) => ({
      type: "hello",
      token,
    }),
  ),
  answers("a request in its place", /^4400 the answer to a challenge is not proof/, async () => ({
    ...{ type: "request", seq: 1, id: 1, topic: "rexec.list", nodeid: "any", streaming: false, payload: {} },
  })),
];
