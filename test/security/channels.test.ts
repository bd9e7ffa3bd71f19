/** Programs that channels, options and directories could start under a token for one command, with a real broker. */
import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RawClient } from "../unit/proxy/support/raw-client.js";
import { detail, exec, signed } from "./requests.js";
import { goodClaims, World } from "./world.js";

let world: World;
let directory: string;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "channels-"));
});
afterEach(() => rm(directory, { recursive: true }));

const BASH = ["/bin/bash", "-c", "echo $BASH_ENV$FEED"];
const client = async (fields: object): Promise<RawClient> =>
  world.open(await world.token({ ...goodClaims(), ...detail(fields) }));

const marker = () => join(directory, "foreign-code-ran");
const ran = () =>
  access(marker()).then(
    () => true,
    () => false,
  );

/** Makes a file of the name that the first channel's variable has as its value. */
async function trap(): Promise<void> {
  const path = join(directory, "3");
  await writeFile(path, `touch ${marker()}\n`);
  await chmod(path, 0o755);
}

describe("a token for one bash script, in any directory", () => {
  const LIMIT = { commands: [BASH], cwd: ["*"] };

  test.each([false, true])("runs no foreign code by a channel BASH_ENV, signed: %s", async (sign) => {
    await trap();
    const attack = exec({ cmdline: BASH, cwd: directory, channels: ["BASH_ENV"] });
    const limited = await client(LIMIT);
    const request = sign ? await signed(world, attack) : attack;
    limited.next({ type: "request", id: 1, nodeid: "any", ...request });
    expect(await limited.answer(1)).toMatchObject({
      errno: 1,
      reason: "token does not allow exec: channels",
    });
    expect(await ran()).toBe(false);
    await limited.close();
  });

  test("runs the script in that directory, without the channel", async () => {
    await trap();
    const limited = await client(LIMIT);
    limited.next({ type: "request", id: 1, nodeid: "any", ...exec({ cmdline: BASH, cwd: directory }) });
    await limited.over(1);
    expect([limited.output(1), await ran()]).toEqual(["\n", false]);
    await limited.close();
  });

  test("gets a channel that its env names", async () => {
    await trap();
    const limited = await client({ ...LIMIT, env: ["FEED"] });
    const request = exec({ cmdline: BASH, cwd: directory, channels: ["FEED"] });
    limited.next({ type: "request", id: 1, nodeid: "any", ...request });
    await limited.over(1);
    expect([limited.output(1), await ran()]).toEqual(["3\n", false]);
    await limited.close();
  });

  test("without a limit the same channel does run what it finds", async () => {
    await trap();
    const free = await client({});
    const request = exec({ cmdline: BASH, cwd: directory, channels: ["BASH_ENV"] });
    free.next({ type: "request", id: 1, nodeid: "any", ...request });
    await free.over(1);
    expect([free.output(1), await ran()]).toEqual(["3\n", true]);
    await free.close();
  });
});

test.each([[["LD_PRELOAD"]], [["LD_LIBRARY_PATH", "LD_PRELOAD"]], [["PATH"]]])(
  "a token for /bin/true alone has no channels %j",
  async (channels) => {
    const limited = await client({ commands: [["/bin/true"]] });
    limited.next({ type: "request", id: 1, nodeid: "any", ...exec({ cmdline: ["/bin/true"], channels }) });
    expect(await limited.answer(1)).toMatchObject({ message: "token does not allow exec: channels" });
    limited.next({ type: "request", id: 2, nodeid: "any", ...exec({ cmdline: ["/bin/true"] }) });
    await limited.over(2);
    expect(await limited.event(2, "finished")).toMatchObject({ status: 0 });
    await limited.close();
  },
);
