/** How the embedded broker shares its time between clients that start processes. */
import { expect, it } from "vitest";
import { startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { FLAG } from "../../../proxy/wire/message.js";
import { body, command, eventually, WireClient } from "./client.js";

const start = { cmd: command(["true"]), flags: 0 };

it("starts another client's process while one client has many to be started", async () => {
  await using broker = await startEmbeddedBroker();
  const [many, other] = [await WireClient.connect(broker.uri), await WireClient.connect(broker.uri)];
  const running = { flags: FLAG.streaming };
  const last = Array.from({ length: 40 }, () => many.request("rexec.exec", start, running)).at(-1);
  const order: string[] = [];
  await Promise.all([
    many.first(({ matchtag }) => matchtag === last).then(() => order.push("last of many")),
    other.rpc("rexec.exec", start, running).then(() => order.push("other")),
  ]);
  expect(order).toEqual(["other", "last of many"]);
  many.close();
  other.close();
});

it("handles a client's requests in their order, exec or not", async () => {
  await using broker = await startEmbeddedBroker();
  const client = await WireClient.connect(broker.uri);
  const execs = Array.from({ length: 5 }, (_, i) =>
    client.request("rexec.exec", { cmd: command(["sleep", "60"], { label: `l${i}` }), flags: 0 }),
  );
  const { procs } = body<{ procs: { label: string }[] }>(await client.rpc("rexec.list", {}));
  expect(procs.map(({ label }) => label)).toEqual(["l0", "l1", "l2", "l3", "l4"]);
  expect(client.responses.slice(0, 5).map(({ matchtag }) => matchtag)).toEqual(execs);
  client.close();
});

it("starts every process of a client that has gone", async () => {
  await using broker = await startEmbeddedBroker();
  const [gone, client] = [await WireClient.connect(broker.uri), await WireClient.connect(broker.uri)];
  for (let i = 0; i < 20; i++) {
    gone.request("rexec.exec", { cmd: command(["sleep", "60"]), flags: 0 }, { flags: FLAG.noresponse });
  }
  gone.socket.end();
  const list = async () => body<{ procs: object[] }>(await client.rpc("rexec.list", {})).procs.length;
  await eventually(async () => (await list()) === 20);
  client.close();
});
