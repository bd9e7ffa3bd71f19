/** Limits on labels: whose processes can be reached, and how; and how many there may be. */

import type { RawClient } from "../../unit/proxy/support/raw-client.js";
import { attach, detail, exec, kill, type RequestTemplate, send, wait } from "../requests.js";
import { type Attempt, goodClaims, type Refusal, type World } from "../world.js";

let count = 0;
/** A label that the token of {@link LIMIT} allows, and no other row has. */
const allowed = () => `mine-${++count}`;
const LIMIT = detail({ labels: ["mine-*"] });

const sleep = (label?: string, more: Partial<RequestTemplate> = {}) =>
  exec({ cmdline: ["sleep", "1000"], ...(label === undefined ? {} : { label }) }, more);
const background = (label?: string) => sleep(label, { streaming: false });

interface Situation {
  world: World;
  /** A session with the limit. */
  client: RawClient;
  /** A session of the same user with no limit. */
  other: RawClient;
}

/** Starts a process and waits until it runs. @returns its pid */
async function started(client: RawClient, request: RequestTemplate, id: number): Promise<number> {
  const { streaming = false, nodeid = "any", topic, payload } = request;
  client.next({ type: "request", id, topic, payload, nodeid, streaming });
  return (await client.event(id, "started"))["pid"] as number;
}

async function situation(
  world: World,
  prepare: (situation: Situation) => Promise<RequestTemplate>,
  claims: () => object,
): Promise<Attempt> {
  const token = await world.token({ ...goodClaims(), ...claims() });
  const other = await world.open(await world.token());
  return world.attempt(
    async () => {
      const client = await world.open(token);
      return { client, state: await prepare({ world, client, other }) };
    },
    async (client, request) => {
      const refused = await send(world, client, request);
      await other.close();
      return refused;
    },
  );
}

const row = (
  name: string,
  bad: (situation: Situation) => Promise<RequestTemplate>,
  good: (situation: Situation) => Promise<RequestTemplate>,
  field = "labels",
  claims: () => object = () => LIMIT,
): Refusal => ({
  name: `labels: ${name}`,
  reason: new RegExp(`^1 (token does not allow|no token allows) \\w+: ${field}$`),
  bad: (world) => situation(world, bad, claims),
  good: (world) => situation(world, good, claims),
});

const own = async ({ client }: Situation) => started(client, sleep(allowed()), 1);
const ownInBackground = async ({ client }: Situation) => started(client, background(allowed()), 1);
const foreign = async ({ other }: Situation) => started(other, background(), 1);

/** The pid of another session's process, which a list has shown. */
async function shown({ client, other }: Situation): Promise<number> {
  const pid = await started(other, background(allowed()), 1);
  client.request(2, "rexec.list", {});
  await client.answer(2);
  return pid;
}

export const LABELS: Refusal[] = [
  row(
    "exec without one",
    async () => sleep(),
    async () => sleep(allowed()),
  ),
  row(
    "exec with an empty one",
    async () => sleep(""),
    async () => sleep(allowed()),
    "label is empty",
  ),
  row(
    "exec with another",
    async () => sleep("yours"),
    async () => sleep(allowed()),
  ),
  row(
    "exec in background without one",
    async () => background(),
    async () => background(allowed()),
  ),
  row(
    "kill by another",
    async () => kill({ pid: -1, label: "yours" }),
    async () => kill({ pid: -1, label: "mine-0" }),
  ),
  row(
    "kill by an empty one",
    async () => kill({ pid: -1, label: "" }),
    async () => kill({ pid: -1, label: "mine-0" }),
    "label is empty",
  ),
  row(
    "kill by one that C would cut off",
    async () => kill({ pid: -1, label: "mine-0\0x" }),
    async () => kill({ pid: -1, label: "mine-0" }),
    "label has a NUL character",
  ),
  row(
    "attach by another",
    async () => attach({ pid: -1, label: "yours" }),
    async () => attach({ pid: -1, label: "mine-0" }),
  ),
  row(
    "wait by another",
    async () => wait({ pid: -1, label: "yours" }),
    async () => wait({ pid: -1, label: "mine-0" }),
  ),
  row(
    "kill by a pid that nobody knows",
    async () => kill({ pid: 1 }),
    async (at) => kill({ pid: await own(at) }),
  ),
  row(
    "kill by a pid that C would take for another",
    async (at) => kill({ pid: (await own(at)) + 2 ** 32 }),
    async (at) => kill({ pid: await own(at) }),
    "pid is not an integer of 1 to 2147483647",
  ),
  row(
    "kill of the session's own by its pid, beside an empty label, by which Flux would look",
    async (at) => kill({ pid: await own(at), label: "" }),
    async (at) => kill({ pid: await own(at) }),
    "label is empty",
  ),
  row(
    "kill of a foreign process",
    async (at) => kill({ pid: await foreign(at) }),
    async (at) => kill({ pid: await ownInBackground(at) }),
  ),
  row(
    "kill of a process that another session runs",
    async ({ other }) => kill({ pid: await started(other, sleep(allowed()), 1) }),
    async (at) => kill({ pid: await own(at) }),
  ),
  row(
    "attach to a foreign process",
    async (at) => attach({ pid: await foreign(at) }),
    async (at) => attach({ pid: await ownInBackground(at) }),
  ),
  row(
    "wait for a foreign process",
    async (at) => wait({ pid: await foreign(at) }),
    async (at) => wait({ pid: await ownInBackground(at) }),
  ),
  row(
    "kill of a process that no list has shown",
    async ({ other }) => kill({ pid: await started(other, background(allowed()), 1) }),
    async (at) => kill({ pid: await shown(at) }),
  ),
  row(
    "kill of a foreign process after a list, which does not show it",
    async ({ client, other }) => {
      const pid = await started(other, background("yours-listed"), 1);
      client.request(2, "rexec.list", {});
      await client.answer(2);
      return kill({ pid });
    },
    async (at) => kill({ pid: await shown(at) }),
  ),
  row(
    "kill of an own process on another rank",
    async (at) => kill({ pid: await own(at) }, { nodeid: "1" }),
    async (at) => kill({ pid: await own(at) }, { nodeid: "0" }),
  ),
  row(
    "kill of an own process on several ranks",
    async (at) => kill({ pid: await own(at) }, { nodeid: "0-1" }),
    async (at) => kill({ pid: await own(at) }, { nodeid: "0" }),
  ),
  row(
    "kill of an own process in another service",
    async (at) => kill({ pid: await own(at) }, { topic: "sdexec.kill" }),
    async (at) => kill({ pid: await own(at) }),
  ),
  row(
    "kill of an own process that has ended",
    async ({ client }) => {
      const pid = await started(client, exec({ label: allowed() }), 1);
      await client.over(1);
      return kill({ pid });
    },
    async (at) => kill({ pid: await own(at) }),
  ),
  row(
    "a process more than allowed, in all sessions",
    async ({ client }) => {
      await started(client, background(), 1);
      await started(client, sleep(), 2);
      return sleep();
    },
    async ({ client }) => {
      await started(client, background(), 1);
      client.request(3, "rexec.kill", { pid: (await client.event(1, "started"))["pid"], signum: 9 });
      await client.answer(3);
      await gone(client, 1, 1000);
      await started(client, sleep(), 2);
      return sleep();
    },
    "processes",
    () => ({ ...detail({ processes: 2 }), sub: `bob-${++count}` }),
  ),
];

/** Asks until a background process is not listed any more. */
async function gone(client: RawClient, started: number, id: number): Promise<void> {
  const { pid } = await client.event(started, "started");
  for (let at = id; ; at++) {
    client.request(at, "rexec.list", {});
    const answer = await client.answer(at);
    if (answer.type !== "response") throw new Error("no list");
    if (!(answer.payload["procs"] as { pid: number }[]).some((process) => process.pid === pid)) return;
  }
}
