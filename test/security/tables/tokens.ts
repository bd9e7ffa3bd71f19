/** Tokens that are refused: not a byte, not even a connection, reaches the broker. */
import { generateKeyPairSync } from "node:crypto";
import { CompactSign, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { generateKeys } from "../../../proxy/index.js";
import { RawClient } from "../../unit/proxy/support/raw-client.js";
import {
  type Attempt,
  AUDIENCE,
  GUEST,
  goodClaims,
  ISSUER,
  inSeconds,
  ME,
  type Refusal,
  type World,
} from "../world.js";

/** Says hello with a token. */
export function hello(world: World, token: string, kind?: "gateway"): Promise<Attempt> {
  return world.attempt(
    async () => ({ client: await RawClient.connect(world.url(kind)), state: undefined }),
    async (client) => {
      client.text({ type: "hello", token });
      const welcomed = client
        .until(() => client.welcome !== undefined)
        .then(
          () => undefined,
          () => undefined,
        );
      const closed = client.closed.then(({ code, reason }) => `${code} ${reason}`);
      return Promise.race([closed, welcomed]).then(async () =>
        client.welcome === undefined ? await closed : undefined,
      );
    },
  );
}

type Make = (world: World) => Promise<string>;

const row = (name: string, reason: RegExp, bad: Make, good: Make = (world) => world.token()): Refusal => ({
  name: `token: ${name}`,
  reason,
  bad: async (world) => hello(world, await bad(world)),
  good: async (world) => hello(world, await good(world)),
});

/** A row of claims that differ from the good ones. */
const claims = (name: string, reason: RegExp, change: () => JWTPayload, control?: () => JWTPayload) =>
  row(
    name,
    reason,
    (world) => world.token({ ...goodClaims(), ...change() }),
    (world) => world.token({ ...goodClaims(), ...control?.() }),
  );

const header = (name: string, reason: RegExp, change: (world: World) => object, control: object = {}) =>
  row(
    name,
    reason,
    (world) => world.token(goodClaims(), change(world)),
    (world) => world.token(goodClaims(), control),
  );

/** A row of one authorization detail that is malformed, beside one that is not. */
const detail = (name: string, bad: object, good: object) => {
  const claim = (fields: object) => () => ({
    authorization_details: [{ type: "flux_subprocess", actions: ["exec"], ...fields }],
  });
  return claims(`detail with ${name}`, /^4401 token's permissions: /, claim(bad), claim(good));
};

const replacePart = (token: string, index: number, part: string) =>
  token
    .split(".")
    .map((old, i) => (i === index ? part : old))
    .join(".");

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token with a number that JSON can write and JSON.stringify cannot. */
async function numeric({ keys }: World, claim: string, number: string): Promise<string> {
  const text = JSON.stringify({ ...goodClaims(), [claim]: "#" }).replace('"#"', number);
  return new CompactSign(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: keys.privateJwk.kid ?? "" })
    .sign(await importJWK(keys.privateJwk, "EdDSA"));
}

export const TOKENS: Refusal[] = [
  row("none at all", /^4401 token is not a signed JWT/, async () => ""),
  row("no JWT", /^4401 token is not a signed JWT/, async () => "secret"),
  row("signed by a stranger under a kid of the issuer", /signature is wrong/, async (world) =>
    world.token(goodClaims(), {}, (await generateKeys()).privateJwk),
  ),
  row("payload changed after signing", /signature is wrong/, async (world) =>
    replacePart(await world.token(), 1, encode({ ...goodClaims(), sub: "root" })),
  ),
  row("signature left out", /not a signed JWT|signature is wrong/, async (world) =>
    replacePart(await world.token(), 2, ""),
  ),
  header("unknown kid", /unknown key/, () => ({ kid: "other" })),
  row("alg none", /not a signed JWT|algorithm is not allowed/, async () =>
    new UnsecuredJWT(goodClaims()).encode(),
  ),
  row(
    "alg none, with the typ of an access token",
    /algorithm is not allowed|not a signed JWT/,
    async () => `${encode({ alg: "none", typ: "at+jwt" })}.${encode(goodClaims())}.`,
  ),
  row("HS256 with the public key as its secret", /algorithm is not allowed/, async ({ keys }) =>
    new SignJWT(goodClaims())
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: keys.privateJwk.kid ?? "" })
      .sign(new TextEncoder().encode(JSON.stringify(keys.jwks.keys[0]))),
  ),
  row("an algorithm that is not in the list", /algorithm is not allowed/, async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    return new SignJWT(goodClaims()).setProtectedHeader({ alg: "ES384", typ: "at+jwt" }).sign(privateKey);
  }),
  header("typ JWT, as an ID token has", /type is not at\+jwt/, () => ({ typ: "JWT" }), {
    typ: "application/at+jwt",
  }),
  header("no typ", /type is not at\+jwt/, () => ({ typ: undefined })),
  header("typ of a proof", /type is not at\+jwt/, () => ({ typ: "dpop+jwt" })),
  header("jku in the header", /has a jku/, () => ({ jku: "https://evil.test/jwks.json" })),
  header("x5u in the header", /has a x5u/, () => ({ x5u: "https://evil.test/cert.pem" })),
  header("x5c in the header", /has a x5c/, () => ({ x5c: ["MIIB"] })),
  header("jwk in the header", /has a jwk/, (world) => ({ jwk: world.keys.jwks.keys[0] })),
  row("signed by the jwk in its own header", /has a jwk/, async (world) => {
    const stranger = await generateKeys();
    return world.token(goodClaims(), { jwk: stranger.jwks.keys[0], kid: undefined }, stranger.privateJwk);
  }),
  // jose signs no critical parameter that it does not know: said by hand.
  row("crit in the header", /has a crit/, async ({ keys }) => {
    const protectedHeader = { alg: "EdDSA", typ: "at+jwt", kid: keys.privateJwk.kid, crit: ["x"], x: 1 };
    const input = `${encode(protectedHeader)}.${encode(goodClaims())}`;
    const key = (await importJWK(keys.privateJwk, "EdDSA")) as CryptoKey;
    const signature = await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(input));
    return `${input}.${Buffer.from(signature).toString("base64url")}`;
  }),
  claims(
    "expired",
    /token has expired/,
    () => ({ exp: inSeconds(-1) }),
    () => ({ exp: inSeconds(60) }),
  ),
  claims(
    "not yet valid",
    /nbf claim has a wrong value/,
    () => ({ nbf: inSeconds(60) }),
    () => ({ nbf: inSeconds(-60) }),
  ),
  claims(
    "issued in the future",
    /issued in the future/,
    () => ({ iat: inSeconds(60) }),
    () => ({ iat: inSeconds(-60) }),
  ),
  ...["exp", "nbf", "iat"].flatMap((claim) =>
    ["1e400", "-1e400", "8640000000001", "-1"].map((number) =>
      row(
        `${claim} of ${number}, which is no time`,
        new RegExp(`token's ${claim} claim (is not a time|has a wrong value)|issued in the future|expired`),
        (world) => numeric(world, claim, number),
        (world) => numeric(world, claim, String(inSeconds(claim === "exp" ? 60 : -60))),
      ),
    ),
  ),
  claims("without exp", /exp claim is missing/, () => ({ exp: undefined })),
  claims("without sub", /sub claim is missing/, () => ({ sub: undefined })),
  claims("without iss", /iss claim is missing/, () => ({ iss: undefined })),
  claims("without aud", /aud claim is missing/, () => ({ aud: undefined })),
  claims("of nobody", /no sub/, () => ({ sub: "" })),
  claims("of another issuer", /iss claim has a wrong value/, () => ({ iss: `${ISSUER}/` })),
  claims("for another audience", /aud claim has a wrong value/, () => ({ aud: "other" })),
  claims(
    "for other audiences",
    /aud claim has a wrong value/,
    () => ({ aud: ["a", "b"] }),
    () => ({ aud: ["a", AUDIENCE] }),
  ),
  claims("without uid", /no uid claim/, () => ({ uid: undefined })),
  claims("a uid that is text", /uid claim is not a userid/, () => ({ uid: String(ME) })),
  claims("a uid that is nobody's", /uid claim is not a userid/, () => ({ uid: 0xffffffff })),
  claims("another user's, at a proxy of one user", /another user/, () => ({ uid: GUEST })),
  claims("an unknown confirmation", /cnf claim/, () => ({ cnf: { "x5t#S256": "x" } })),
  claims("a confirmation with more than a jkt", /cnf claim/, () => ({
    cnf: { jkt: "x".repeat(43), kid: "y" },
  })),
  claims(
    "a jti that is no text",
    /jti claim/,
    () => ({ jti: 7 as unknown as string }),
    () => ({ jti: "7" }),
  ),
  claims("a scope that is no text", /permissions: scope/, () => ({ scope: ["exec"] })),
  claims(
    "details that are no array",
    /permissions: authorization_details/,
    () => ({ authorization_details: {} }),
    () => ({ authorization_details: [] }),
  ),
  claims(
    "a detail without a type",
    /permissions: authorization_details/,
    () => ({ authorization_details: [{ actions: ["exec"] }] }),
    () => ({ authorization_details: [{ type: "other", actions: ["fly"], anything: 1 }] }),
  ),
  detail("a topic whose service is a pattern", { topics: ["*.list"] }, { topics: ["job-list.*"] }),
  detail("a topic that is any", { topics: ["*"] }, { topics: ["kvs.lookup"] }),
  detail("a topic that is a service alone", { topics: ["kvs"] }, { topics: ["kvs.*"] }),
  detail("a cwd that is no array", { cwd: "/" }, { cwd: ["/"] }),
  detail("an option that is no pattern", { opts: [1] }, { opts: ["SDEXEC_NAME"] }),
  detail("an unknown field", { paths: ["/"] }, {}),
  detail("an unknown action", { actions: ["exec", "fly"] }, { actions: ["exec", "kill"] }),
  detail("no actions", { actions: undefined }, {}),
  detail("services that are no array", { services: "rexec" }, { services: ["rexec"] }),
  detail("ranks that are no idset", { ranks: "3-1" }, { ranks: "1-3" }),
  detail("ranks that are an array", { ranks: [0] }, { ranks: "0" }),
  detail("labels that are no text", { labels: [7] }, { labels: ["7"] }),
  detail("a pattern that is too long", { labels: ["x".repeat(257)] }, { labels: ["x".repeat(256)] }),
  detail("commands that are no patterns", { commands: ["ls"] }, { commands: [["ls"]] }),
  detail('a "**" that is not the last', { commands: [["**", "x"]] }, { commands: [["x", "**"]] }),
  detail("an empty command", { commands: [[]] }, { commands: [["**"]] }),
  detail("a signal that does not exist", { signals: ["SIGFROB"] }, { signals: ["SIGTERM", "KILL", 0, 64] }),
  detail("a signal that is over 64", { signals: [65] }, { signals: [64] }),
  detail("a negative number of processes", { processes: -1 }, { processes: 1 }),
  detail("a number of processes that is text", { processes: "1" }, { processes: 1 }),
  detail("env that is an object", { env: { A: "1" } }, { env: ["A"] }),
  {
    name: "token: another user's, at a gateway, without a uid",
    reason: /no uid claim/,
    bad: async (world) => hello(world, await world.token({ ...goodClaims(), uid: undefined }), "gateway"),
    good: async (world) => hello(world, await world.token({ ...goodClaims(), uid: GUEST }), "gateway"),
  },
];
