/** Refusals of a gateway to its guests. gateway.test.ts tests that the broker treats them as guests. */
import type { JWTPayload } from "jose";
import { exec, list, type RequestTemplate, runTrial, signed } from "../requests.js";
import { GUEST, ME, type Refusal, type World } from "../world.js";

const guest = { uid: GUEST };

const row = (
  name: string,
  reason: RegExp,
  bad: (world: World) => Promise<{ claims: JWTPayload; request: RequestTemplate }>,
  good: (world: World) => Promise<{ claims: JWTPayload; request: RequestTemplate }>,
): Refusal => ({
  name: `gateway: ${name}`,
  reason,
  bad: async (world) => runTrial(world, { ...(await bad(world)), kind: "gateway" }),
  good: async (world) => runTrial(world, { ...(await good(world)), kind: "gateway" }),
});

const inShell = (world: World): RequestTemplate => ({ ...exec(), topic: `${world.broker.shells[0]}.exec` });

export const GATEWAY: Refusal[] = [
  row(
    "a guest with the owner's signature",
    /exec: signature is of another user$/,
    async (world) => ({ claims: guest, request: await signed(world, inShell(world), { as: world.me }) }),
    async (world) => ({ claims: guest, request: await signed(world, inShell(world), { as: world.guest }) }),
  ),
  row(
    "the owner with a guest's signature",
    /exec: signature is of another user$/,
    async (world) => ({
      claims: { uid: ME },
      request: await signed(world, inShell(world), { as: world.guest }),
    }),
    async (world) => ({ claims: guest, request: await signed(world, inShell(world), { as: world.guest }) }),
  ),
  row(
    "a guest beyond their scope",
    /list: scope$/,
    async () => ({ claims: { ...guest, scope: "exec" }, request: list }),
    async () => ({ claims: { ...guest, scope: "exec list" }, request: list }),
  ),
];
