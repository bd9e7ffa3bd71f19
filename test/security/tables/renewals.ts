/** Successors of a token, and its end. */
import { setTimeout as delay } from "node:timers/promises";
import type { JWTPayload } from "jose";
import { generateKeys } from "../../../proxy/index.js";
import { detail, kill, list, type RequestTemplate, send } from "../requests.js";
import {
  type Attempt,
  GUEST,
  goodClaims,
  inSeconds,
  ME,
  type ProxyKind,
  type Refusal,
  type World,
} from "../world.js";

type Make = (world: World) => Promise<string>;

interface Renewal {
  /** The claims of the first token. */
  first?: JWTPayload;
  next: Make;
  /** The request after the renewal. */
  request?: RequestTemplate;
  kind?: ProxyKind;
}

async function renew(world: World, { first, next, request = list, kind }: Renewal): Promise<Attempt> {
  const token = await world.token({ ...goodClaims(), ...first });
  return world.attempt(
    async () => ({ client: await world.open(token, kind), state: undefined }),
    async (client) => {
      client.text({ type: "token", token: await next(world) });
      await Promise.race([client.closed, client.until(() => client.expiries.length > 0).catch(() => {})]);
      if (client.expiries.some(({ type }) => type === "renewed")) return send(world, client, request);
      const { code, reason } = await client.closed;
      return `${code} ${reason}`;
    },
  );
}

const claims =
  (change: JWTPayload): Make =>
  (world) =>
    world.token({ ...goodClaims(), ...change });

const row = (name: string, reason: RegExp, bad: Renewal, good: Renewal): Refusal => ({
  name: `renewal: ${name}`,
  reason,
  bad: (world) => renew(world, bad),
  good: (world) => renew(world, good),
});

const same = claims({});
const jkt = "x".repeat(43);

/** Waits until the token has ended, with a successor or without. */
async function outlive(world: World, successor: boolean): Promise<Attempt> {
  const token = await world.token({ ...goodClaims(), exp: inSeconds(4) });
  return world.attempt(
    async () => ({ client: await world.open(token), state: undefined }),
    async (client) => {
      if (successor) client.text({ type: "token", token: await world.token() });
      await Promise.race([client.closed, delay(4500)]);
      if (successor) return send(world, client, list);
      const { code, reason } = await client.closed;
      return `${code} ${reason}`;
    },
  );
}

export const RENEWALS: Refusal[] = [
  row(
    "by another sub",
    /^4401 token's sub claim is not that/,
    { next: claims({ sub: "bob" }) },
    { next: same },
  ),
  row(
    "by another userid",
    /^4401 token's userid is not that/,
    { kind: "gateway", next: claims({ uid: GUEST }) },
    { kind: "gateway", next: claims({ uid: ME }) },
  ),
  row(
    "by one that is bound to a key",
    /^4401 token is not bound to the key/,
    { next: claims({ cnf: { jkt } }) },
    { next: same },
  ),
  row(
    "by one that has expired",
    /^4401 token has expired/,
    { next: claims({ exp: inSeconds(-1) }) },
    { next: same },
  ),
  row(
    "by a stranger's",
    /^4401 token's signature is wrong/,
    { next: async (world) => world.token(goodClaims(), {}, (await generateKeys()).privateJwk) },
    { next: same },
  ),
  row("by none", /^4401 token is not a signed JWT/, { next: async () => "" }, { next: same }),
  row("for another audience", /^4401 token's aud claim/, { next: claims({ aud: "other" }) }, { next: same }),
  row(
    "by one whose details are malformed",
    /^4401 token's permissions/,
    { next: claims({ authorization_details: [{ type: "flux_subprocess" }] }) },
    { next: claims({ authorization_details: [{ type: "other" }] }) },
  ),
  row(
    "allows less from then on",
    /^1 token does not allow kill: scope$/,
    { next: claims({ scope: "exec list" }), request: kill() },
    { next: claims({ scope: "exec list kill" }), request: kill() },
  ),
  row(
    "limits more from then on",
    /^1 token does not allow kill: signals$/,
    { next: claims({ ...detail({ signals: [2] }), sub: "alice" }), request: kill() },
    { next: claims({ ...detail({ signals: [15] }), sub: "alice" }), request: kill() },
  ),
  row(
    "does not come by itself",
    /^1 token does not allow kill: scope$/,
    { first: { scope: "list" }, next: claims({ scope: "list" }), request: kill() },
    { first: { scope: "list" }, next: claims({ scope: "list kill" }), request: kill() },
  ),
  {
    name: "renewal: none before the end",
    reason: /^4411 the token has expired/,
    bad: (world) => outlive(world, false),
    good: (world) => outlive(world, true),
  },
];
