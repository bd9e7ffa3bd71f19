/**
 * Requests of a few bytes that name 65,536 ranks, none of which exists, under a token that limits ranks. Each is judged as a range,
 * and gets one answer for each verdict.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { detail, exec, kill, list, type RequestTemplate, watch } from "./requests.js";
import { goodClaims, World } from "./world.js";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const EPERM = 1;
const EHOSTUNREACH = 113;
const WIDE = "100-65635";
const deniedBy = (operation: string, field: string) => `token does not allow ${operation}: ${field}`;

test.each<[string, string[], RequestTemplate, object[]]>([
  ["a watch without the right to list", ["exec"], watch, [[WIDE, EPERM, deniedBy("list", "actions")]]],
  ["a list without the right to it", ["exec"], list, [[WIDE, EPERM, deniedBy("list", "actions")]]],
  ["a kill without the right to it", ["exec"], kill(), [[WIDE, EPERM, deniedBy("kill", "actions")]]],
  ["an exec on more ranks than are allowed", ["exec"], exec(), [[WIDE, EPERM, deniedBy("exec", "ranks")]]],
  [
    "a watch of ranks some of which are allowed",
    ["list"],
    watch,
    [
      ["100-199,301-65635", EPERM, deniedBy("list", "ranks")],
      ["200-300", EHOSTUNREACH, "no such rank"],
    ],
  ],
])("%s is answered in few messages", async (_, actions, request, answers) => {
  const token = await world.token({ ...goodClaims(), ...detail({ actions, ranks: "0-3,200-250,251-300" }) });
  const client = await world.open(token);
  client.next({ type: "request", streaming: false, ...request, id: 1, nodeid: WIDE });
  const messages = await client.over(1, 65_536);
  expect(
    messages.map((message) => message.type === "error" && [message.ranks, message.errno, message.message]),
  ).toEqual(answers);
  await client.close();
});
