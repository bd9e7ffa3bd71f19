/** Requests that the proxy allows in part: it narrows lists, and drops the fields beside a signature. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { detail, exec, send, signed } from "./requests.js";
import { goodClaims, World } from "./world.js";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const open = async (claims: object = {}) => world.open(await world.token({ ...goodClaims(), ...claims }));

test("a list shows the permitted labels and the session's own, and no other", async () => {
  const [all, limited, foreign] = [await open(), await open(detail({ labels: ["mine-*"] })), await open()];
  const sleep = (label?: string) =>
    exec({ cmdline: ["sleep", "1000"], ...(label === undefined ? {} : { label }) });
  const start = async (client: typeof all, id: number, label?: string) => {
    client.next({ type: "request", id, nodeid: "any", ...sleep(label) });
    await client.event(id, "started");
  };
  await start(limited, 1, "mine-own");
  await start(foreign, 1, "mine-other");
  await start(foreign, 2, "yours");
  await start(foreign, 3);
  const labels = async (client: typeof all) => {
    client.request(9, "rexec.list", {});
    const answer = await client.answer(9);
    if (answer.type !== "response") throw new Error("no list");
    return (answer.payload["procs"] as { label: string }[]).map(({ label }) => label).sort();
  };
  expect(await labels(all)).toEqual(["", "mine-other", "mine-own", "yours"]);
  expect(await labels(limited)).toEqual(["mine-other", "mine-own"]);
  for (const client of [all, limited, foreign]) await client.close();
});

test("what the client has signed reaches the broker, to the byte and alone", async () => {
  const client = await open();
  const request = await signed(world, exec(), { more: exec({ cmdline: ["false"] }).payload });
  await send(world, client, request);
  const sent = world.relay.sent.filter(({ topic }) => topic === "rexec.exec").at(-1);
  const payload = Buffer.from(sent?.payload ?? []).toString();
  const { signature } = request.payload as { signature: string };
  expect(payload).toBe(`${JSON.stringify({ signature })}\0`);
  await client.close();
});
