/** A gateway: every message says in whose name it is, so that the broker and a guest's own job can tell. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { BrokerConnection } from "../../proxy/broker/connection.js";
import { rpc } from "../../proxy/broker/rpc.js";
import { createProxy } from "../../proxy/index.js";
import { ROLE } from "../../proxy/wire/message.js";
import { signedPayload } from "../../src/signing/signer.js";
import { FakeBroker, withAttributes } from "../unit/proxy/support/fake-broker.js";
import type { RawClient } from "../unit/proxy/support/raw-client.js";
import { attach, exec, signed } from "./requests.js";
import { AUDIENCE, GUEST, goodClaims, ISSUER, ME, World } from "./world.js";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const open = async (uid: number): Promise<RawClient> =>
  world.open(await world.token({ ...goodClaims(), uid }), "gateway");

/** The userid and roles of every message since. */
const credentials = (from: number) =>
  world.relay.sent.slice(from).map(({ userid, rolemask }) => ({ userid, rolemask }));

test("a guest's messages are the guest's, from the first to the last, on every connection", async () => {
  const from = world.relay.sent.length;
  const service = world.broker.shells[0];
  const client = await open(GUEST);
  expect(client.welcome).toMatchObject({ userid: GUEST, owner: ME });
  const run = await signed(
    world,
    { ...exec({ cmdline: ["cat"] }), topic: `${service}.exec` },
    { as: world.guest },
  );
  client.next({ type: "request", id: 1, nodeid: "0", streaming: true, ...run });
  await client.event(1, "started");
  for (const io of [{ data: "as the guest" }, { eof: true }]) {
    const write = { matchtag: 1, io: { stream: "stdin", rank: "0", ...io } };
    const { signature } = await signedPayload(await world.guest.signer(), `${service}.write`, write);
    const bytes = io.data?.length ?? 0;
    client.next({ type: "write", id: 1, rank: 0, stream: "stdin", bytes, signature });
  }
  const follow = await signed(
    world,
    { ...attach({ pid: 1 }), topic: `${service}.attach` },
    { as: world.guest },
  );
  client.next({ type: "request", id: 2, nodeid: "0", streaming: true, ...follow });
  await client.over(1);
  await client.over(2);
  expect(client.output(1)).toBe("as the guest");
  await client.close();
  const all = credentials(from);
  expect(all.length).toBeGreaterThanOrEqual(7);
  expect(new Set(all.map((credential) => JSON.stringify(credential)))).toEqual(
    new Set([JSON.stringify({ userid: GUEST, rolemask: ROLE.user })]),
  );
});

test("a guest may not use the broker's own service, and hears it from the broker", async () => {
  const client = await open(GUEST);
  client.request(1, "rexec.list", {});
  expect(await client.answer(1)).toMatchObject({ errno: 1, message: "Request requires owner credentials" });
  await client.close();
});

test("a guest's job takes no request that the guest has not signed", async () => {
  const client = await open(GUEST);
  client.request(1, `${world.broker.shells[0]}.list`, {});
  expect(await client.answer(1)).toMatchObject({ errno: 1, message: "request signature required" });
  await client.close();
});

test("the owner is the owner, and local, on every connection: exec, list, kill and attach reach rank 0", async () => {
  const from = world.relay.sent.length;
  const client = await open(ME);
  expect(client.welcome).toMatchObject({ userid: ME, owner: ME, rank: 0 });
  client.request(1, "rexec.list", {});
  expect(await client.answer(1)).toMatchObject({ type: "response" });
  client.request(
    2,
    "rexec.exec",
    exec({ cmdline: ["sleep", "60"], env: { PATH: "/usr/bin:/bin" } }).payload,
    {
      nodeid: "0",
    },
  );
  const { pid } = await client.event(2, "started");
  client.next({ type: "request", id: 3, nodeid: "0", ...attach({ pid }) });
  await client.event(3, "attached");
  client.request(4, "rexec.kill", { pid, signum: 9 }, { nodeid: "0" });
  expect(await client.answer(4)).toMatchObject({ type: "response" });
  expect((await client.over(3)).at(-1)).toMatchObject({ type: "end" });
  await client.close();
  const all = credentials(from);
  expect(all.length).toBeGreaterThanOrEqual(7);
  for (const credential of all) expect(credential).toEqual({ userid: ME, rolemask: ROLE.owner | ROLE.local });
});

test("rank 0 serves no message that has the owner's role without local: the control of the test above", async () => {
  const broker = await BrokerConnection.connect(world.broker.uri, {
    credential: { userid: ME, rolemask: ROLE.owner },
  });
  const message = "Remote rexec requests are not allowed on rank 0";
  await expect(rpc(broker, "rexec.list", {}, { nodeid: 0 })).rejects.toMatchObject({
    code: "EPERM",
    message,
  });
  await expect(rpc(broker, "rexec.list", {}, { nodeid: 1 })).resolves.toMatchObject({ rank: 1 });
  broker.close();
});

test("a guest's watches have neither role either", async () => {
  const from = world.relay.sent.length;
  const client = await open(GUEST);
  client.next({ type: "request", id: 1, topic: "rexec.list", nodeid: "all", streaming: true, payload: {} });
  for (let ranks = 0; ranks < 4; ranks++) await client.until(() => client.of(1).length > ranks);
  await client.close();
  const all = credentials(from);
  expect(all.length).toBeGreaterThanOrEqual(7);
  for (const credential of all) expect(credential).toEqual({ userid: GUEST, rolemask: ROLE.user });
});

test("the owner's requests can be signed by the gateway", async () => {
  const client = await open(ME);
  const topic = `${world.broker.shells[1]}.list`;
  client.next({ type: "request", id: 1, topic, nodeid: "0", streaming: false, payload: {}, sign: true });
  expect(await client.answer(1)).toMatchObject({ type: "response", payload: { procs: [] } });
  await client.close();
});

test("a proxy that is no gateway leaves it to the broker whose its messages are", async () => {
  const from = world.relay.sent.length;
  const client = await world.open(await world.token());
  await client.close();
  for (const credential of credentials(from)) expect(credential).toEqual({ userid: 0xffffffff, rolemask: 0 });
});

test("a gateway that is not the instance owner's does not start", async () => {
  const options = { jwks: world.keys.jwks, issuer: ISSUER, audience: AUDIENCE, gateway: true };
  const others = await FakeBroker.start({ respond: withAttributes(undefined, ME + 1) });
  const error = await createProxy({ ...options, uri: others.uri }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "EPERM",
    message: `a gateway runs as the instance owner, user ${ME + 1}, and this is user ${ME}`,
  });
  await others.close();
  const mine = await FakeBroker.start({ respond: withAttributes(undefined, ME) });
  const proxy = await createProxy({ ...options, uri: mine.uri });
  await proxy.close();
  await mine.close();
});
