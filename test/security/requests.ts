/** Requests in a session, as tables want them. */
import type { JWTPayload } from "jose";
import { decodeIdset } from "../../src/protocol/idset.js";
import { signedPayload } from "../../src/signing/signer.js";
import type { RawClient } from "../unit/proxy/support/raw-client.js";
import { ALL, type Attempt, goodClaims, type ProxyKind, type Refusal, type World } from "./world.js";

export interface RequestTemplate {
  topic: string;
  payload: object;
  nodeid?: string;
  streaming?: boolean;
  sign?: boolean;
}

/** A token's permissions and a request. */
export interface Trial {
  claims: JWTPayload;
  request: RequestTemplate;
  kind?: ProxyKind;
}

const ID = 100;

const ranksOf = (nodeid: string) =>
  nodeid === "any" ? 1 : nodeid === "all" ? 4 : decodeIdset(nodeid).length;

/** Sends a request. Resolves with the reason if every rank was refused, or undefined when it reached the broker. */
export async function send(
  world: World,
  client: RawClient,
  request: RequestTemplate,
  id = ID,
): Promise<string | undefined> {
  const { nodeid = "any", streaming = false, ...rest } = request;
  const before = world.relay.sent.length;
  client.next({ type: "request", id, nodeid, streaming, ...rest });
  const errors = () =>
    client
      .of(id)
      .filter((m) => m.type === "error")
      .filter(({ message }) => isRefusal(message));
  const refused = () =>
    errors().reduce(
      (ranks, error) => ranks + (error.ranks === undefined ? 1 : decodeIdset(error.ranks).length),
      0,
    );
  const reached = () => world.relay.sent.slice(before).some(({ topic }) => topic === request.topic);
  await Promise.race([
    client.until(() => refused() === ranksOf(nodeid)),
    world.relay.until(reached),
    client.closed,
  ]);
  const [first] = errors();
  if (first !== undefined) return `${first.errno} ${first.message}`;
  if (reached()) return undefined;
  const { code, reason } = await client.closed;
  return `${code} ${reason}`;
}

const isRefusal = (message: string) =>
  /^token does not allow |^no token allows |^the proxy cannot /.test(message);

/** Opens a session with some claims and sends one request in it. */
export async function runTrial(world: World, { claims, request, kind }: Trial): Promise<Attempt> {
  const token = await world.token({ ...goodClaims(), ...claims });
  return world.attempt(
    async () => ({ client: await world.open(token, kind), state: undefined }),
    (client) => send(world, client, request),
  );
}

/** A row of two asks that differ in one thing. */
export const row = (name: string, reason: RegExp, bad: Trial, good: Trial): Refusal => ({
  name,
  reason,
  bad: (world) => runTrial(world, bad),
  good: (world) => runTrial(world, good),
});

let subjects = 0;

/** Claims with one detail of ours, for a subject that has no process yet. */
export const detail = (fields: object, scope: string | undefined = ALL): JWTPayload => ({
  sub: `subject-${++subjects}`,
  scope,
  authorization_details: [{ type: "flux_subprocess", actions: ALL.split(" "), ...fields }],
});

/** A command object as a client may send it, its fields right or wrong. */
type Cmd = Record<string, unknown>;

export const exec = (cmd: Cmd = {}, more: Partial<RequestTemplate> = {}): RequestTemplate => ({
  topic: "rexec.exec",
  payload: { cmd: { cmdline: ["true"], env: {}, opts: {}, channels: [], ...cmd }, flags: 3 },
  streaming: true,
  ...more,
});

export const kill = (target: object = { pid: 1 }, more: Partial<RequestTemplate> = {}): RequestTemplate => ({
  topic: "rexec.kill",
  payload: { signum: 15, ...target },
  ...more,
});

export const attach = (
  target: object = { pid: 1 },
  more: Partial<RequestTemplate> = {},
): RequestTemplate => ({
  topic: "rexec.attach",
  payload: { flags: 3, ...target },
  streaming: true,
  ...more,
});

export const wait = (target: object = { pid: 1 }): RequestTemplate => ({
  topic: "rexec.wait",
  payload: target,
});
export const list: RequestTemplate = { topic: "rexec.list", payload: {} };
export const watch: RequestTemplate = { ...list, streaming: true };
export const rpc: RequestTemplate = { topic: "attr.get", payload: { name: "rank" } };

/** A request in signed form, whatever the topic that it is then sent on. */
export async function signed(
  world: World,
  { topic, payload, ...rest }: RequestTemplate,
  {
    as = world.me,
    topic: signedTopic = topic,
    more = {},
  }: { as?: World["guest"]; topic?: string; more?: object } = {},
): Promise<RequestTemplate> {
  return {
    ...rest,
    topic,
    payload: { ...(await signedPayload(await as.signer(), signedTopic, payload)), ...more },
  };
}
