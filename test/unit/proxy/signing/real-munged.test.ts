/** Against a munged of our own with a key of its own, where the machine has munge installed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mungeSigner, mungeVerify } from "../../../../proxy/signing/munge.js";
import { mungeDecode, mungeEncode } from "../../../../proxy/signing/munged.js";
import { parseSignature } from "../../../../src/signing/signature.js";

const PROGRAM = "munged";
const installed = spawnSync(PROGRAM, ["--version"]).status === 0;
const HELLO = Buffer.from("hello");

describe.skipIf(!installed)("a real munged", () => {
  const userid = process.getuid?.() ?? 0;
  let directory: string;
  let socket: string;
  let munged: ChildProcess;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "munged-"));
    socket = join(directory, "socket");
    await writeFile(join(directory, "key"), randomBytes(128), { mode: 0o600 });
    const place = (option: string, name: string) => `--${option}=${join(directory, name)}`;
    const files = [place("socket", "socket"), place("key-file", "key"), place("pid-file", "pid")];
    const more = [place("log-file", "log"), place("seed-file", "seed")];
    // Forced, for it does not like the permissions of /tmp.
    munged = spawn(PROGRAM, ["--foreground", "--force", ...files, ...more], { stdio: "ignore" });
    for (let tries = 0; !existsSync(socket) && tries < 500; tries++) await delay(10);
  });

  afterAll(async () => {
    const over = new Promise((resolve) => munged.once("exit", resolve));
    munged.kill();
    await over;
    await rm(directory, { recursive: true });
  });

  test("attests to who we are", async () => {
    const credential = await mungeEncode(HELLO, { socket });
    expect(credential).toMatch(/^MUNGE:[\w+/=]+:$/);
    const decoded = await mungeDecode(credential, { socket });
    expect(decoded).toMatchObject({ errnum: 0, uid: userid, gid: process.getgid?.(), payload: HELLO });
    expect(Math.abs(decoded.encodeTime - Date.now() / 1000)).toBeLessThan(5);
    expect(await mungeDecode(credential, { socket })).toMatchObject({ errnum: 17, payload: HELLO });
  });

  test("makes signatures that verify, more than once", async () => {
    const signature = parseSignature(await mungeSigner({ userid, socket }).sign('{"topic":"rexec.list"}'));
    await mungeVerify(signature, { userid, socket, maxTtl: 60 });
    await mungeVerify(signature, { userid, socket, maxTtl: 60 });
  });

  test("does not confirm what was changed", async () => {
    const text = await mungeSigner({ userid, socket }).sign('{"topic":"rexec.list"}');
    const at = text.length - 30;
    const changed = text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
    const failure = mungeVerify(parseSignature(changed), { userid, socket, maxTtl: 60 });
    await expect(failure).rejects.toMatchObject({ code: "EPERM", message: /^munge: / });
  });

  test("serves many at once", async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => mungeEncode(HELLO, { socket })));
    expect(new Set(all).size).toBe(50);
  });

  test("refuses more than it takes", async () => {
    const outcome = mungeEncode(Buffer.alloc(2 * 1024 * 1024), { socket });
    await expect(outcome).rejects.toMatchObject({ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) });
  });
});
