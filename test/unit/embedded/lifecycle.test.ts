import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { body, command, eventually, exists, WireClient } from "./client.js";

const directoryOf = (uri: string) => dirname(uri.replace("local://", ""));

describe("startEmbeddedBroker", () => {
  it("has a URI for each rank, in a directory that only its owner can enter", async () => {
    await using broker = await startEmbeddedBroker({ size: 3 });
    const directory = directoryOf(broker.uri);
    expect(broker.uris).toEqual([0, 1, 2].map((rank) => `local://${directory}/local-${rank}`));
    expect(broker.uri).toBe(broker.uris[0]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const [rank, uri] of broker.uris.entries()) {
      const client = await WireClient.connect(uri);
      expect(body(await client.rpc("attr.get", { name: "rank" }))).toEqual({ value: String(rank), flags: 1 });
      expect(body(await client.rpc("attr.get", { name: "rank" }, { nodeid: 1 }))).toEqual({
        value: "1",
        flags: 1,
      });
      client.close();
    }
  });

  it.each([0, -1, 1025])("refuses a size of %s", async (size) => {
    await expect(startEmbeddedBroker({ size })).rejects.toThrow(RangeError);
  });

  it.each([1.5, Number.NaN, "4" as unknown as number])("refuses a size of %s", async (size) => {
    await expect(startEmbeddedBroker({ size })).rejects.toThrow(/^size must be an integer/);
  });

  it("refuses a directory that makes the sockets' paths too long", async () => {
    const dir = join(tmpdir(), "d".repeat(100));
    await expect(startEmbeddedBroker({ dir })).rejects.toThrow(/^dir is too long/);
  });

  it("logs what Flux would log", async () => {
    const lines: string[] = [];
    await using broker = await startEmbeddedBroker({
      size: 2,
      log: (rank, message) => lines.push(`${rank} ${message}`),
    });
    const client = await WireClient.connect(broker.uri);
    const start = { cmd: command(["sh", "-c", "echo hello; exit 3"], { label: "l" }), flags: 0 };
    const { pid } = body<{ pid: number }>(await client.rpc("rexec.exec", start, { nodeid: 1 }));
    await eventually(() => lines.length === 2);
    expect(lines).toEqual([`1 l[${pid}]: hello\n`, `1 l: sh[${pid}]: Exit 3`]);
    client.close();
  });

  it.each([
    ["with its label and its path", { label: "l" }, "l: /bin/sh"],
    ["without a label by its path", {}, "/bin/sh"],
  ])("logs a process that a signal ended %s", async (_, options, name) => {
    const lines: string[] = [];
    await using broker = await startEmbeddedBroker({ log: (_rank, message) => lines.push(message) });
    const client = await WireClient.connect(broker.uri);
    const start = { cmd: command(["/bin/sh", "-c", "kill -9 $$"], options), flags: 0 };
    const { pid } = body<{ pid: number }>(await client.rpc("rexec.exec", start));
    await eventually(() => lines.length === 1);
    expect(lines).toEqual([`${name}[${pid}]: Killed by signal 9`]);
    client.close();
  });
});

describe("close", () => {
  it("leaves no process, no socket, no listener", async () => {
    const listeners = ["SIGCHLD", "exit"].map((event) => process.listenerCount(event));
    const broker = await startEmbeddedBroker({ size: 2 });
    const client = await WireClient.connect(broker.uri);
    const closed = new Promise((resolve) => client.socket.once("close", resolve));
    const stubborn = command(["sh", "-c", "trap '' TERM HUP; sleep 60 & sleep 60"]);
    const foreground = await client.exec(stubborn, 3, { nodeid: 1 });
    const background = body<{ pid: number }>(await client.rpc("rexec.exec", { cmd: stubborn, flags: 16 }));
    const ended = await client.rpc("rexec.exec", { cmd: command(["true"]), flags: 16 });
    expect(process.listenerCount("SIGCHLD")).toBe(1);

    await Promise.all([broker.close(), broker.close()]);
    for (const { pid } of [foreground, background, body<{ pid: number }>(ended)])
      expect(exists(pid)).toBe(false);
    // those that the leader started are init's to reap
    await eventually(() => !exists(-foreground.pid) && !exists(-background.pid));
    await closed;
    expect(existsSync(directoryOf(broker.uri))).toBe(false);
    expect(["SIGCHLD", "exit"].map((event) => process.listenerCount(event))).toEqual(listeners);
  });

  it("does not wait for processes that have left the process group", { timeout: 30_000 }, async () => {
    const broker = await startEmbeddedBroker();
    const client = await WireClient.connect(broker.uri);
    const { matchtag } = await client.exec(command(["sh", "-c", "setsid sh -c 'echo $$; exec sleep 60'"]), 3);
    const first = await client.first((r) => r.matchtag === matchtag && body(r)["type"] === "output");
    await broker.close();
    process.kill(Number(body<{ io: { data: string } }>(first).io.data), "SIGKILL");
  });
});

describe("the host process", () => {
  const DIRECTORY = mkdtempSync(join(tmpdir(), "embedded-test-"));
  const host = (end: string) => {
    const outfile = join(DIRECTORY, `${end.length}.mjs`);
    const source = `
      import { startEmbeddedBroker } from "./proxy/embedded/index.js";
      import { WireClient, command } from "./test/unit/embedded/client.js";
      const broker = await startEmbeddedBroker();
      const client = await WireClient.connect(broker.uri);
      const { pid } = await client.exec(command(["sleep", "60"]), 3);
      process.stdout.write(JSON.stringify({ pid, uri: broker.uri }));
      ${end}`;
    const stdin = { contents: source, resolveDir: process.cwd(), loader: "ts" as const };
    buildSync({ stdin, outfile, bundle: true, platform: "node", format: "esm", logLevel: "error" });
    return new Promise<{ pid: number; uri: string }>((resolve, reject) => {
      const child = spawn(process.execPath, [outfile], { stdio: ["ignore", "pipe", "inherit"] });
      let out = "";
      child.stdout.on("data", (chunk) => {
        out += chunk;
      });
      child.once("error", reject);
      child.once("close", () => resolve(JSON.parse(out)));
    });
  };

  it("ends the processes when it exits without a close", { timeout: 30_000 }, async () => {
    const { pid, uri } = await host("process.exit(0)");
    await eventually(() => !exists(-pid));
    expect(existsSync(directoryOf(uri))).toBe(false);
  });

  it("can end by itself after a close", { timeout: 30_000 }, async () => {
    const { pid, uri } = await host("client.close(); await broker.close()");
    expect(exists(pid)).toBe(false);
    expect(existsSync(directoryOf(uri))).toBe(false);
    rmSync(DIRECTORY, { recursive: true });
  });
});
