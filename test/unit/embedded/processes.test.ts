/** Processes and their clients, beyond the recorded conversations. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { FLAG } from "../../../proxy/wire/message.js";
import { EXEC_FLAG } from "../../../src/protocol/rfc42.js";
import { body, command, eventually, exists, output, payloadText, status, WireClient } from "./client.js";

const STDIO = EXEC_FLAG.stdout | EXEC_FLAG.stderr;

let broker: EmbeddedBroker;
let client: WireClient;
beforeEach(async () => {
  broker = await startEmbeddedBroker({ size: 3 });
  client = await WireClient.connect(broker.uri);
});
afterEach(async () => {
  client.close();
  await broker.close();
});

async function run(cmdline: string[], more: Parameters<typeof command>[1] = {}) {
  const { matchtag } = await client.exec(command(cmdline, more), STDIO);
  const responses = await client.stream(matchtag);
  return { out: output(responses, "stdout").toString(), err: output(responses, "stderr").toString() };
}

describe("signals", () => {
  it("report each stop, also one by the process itself", async () => {
    const { matchtag, pid } = await client.exec(
      command(["sh", "-c", "kill -STOP $$; kill -STOP $$; exit 7"]),
      STDIO,
    );
    const stops = () => client.responses.filter((r) => payloadText(r) === '{"type":"stopped"}').length;
    for (const expected of [1, 2]) {
      await client.until(() => stops() === expected);
      expect(await client.rpc("rexec.kill", { pid, signum: 18 })).toMatchObject({ errnum: 0 });
    }
    expect(status(await client.stream(matchtag))).toBe(7 << 8);
    expect(stops()).toBe(2);
  });

  it("report a real-time signal, which has no name in Node", async () => {
    const { matchtag, pid } = await client.exec(command(["sleep", "60"]), STDIO);
    await client.rpc("rexec.kill", { pid, signum: 40 });
    expect(status(await client.stream(matchtag))).toBe(40);
  });

  it("leave the status alone if the process ignores a real-time signal", async () => {
    const { matchtag, pid } = await client.exec(
      command(["sh", "-c", "trap '' 40; echo ready; read x; exit 0"]),
      STDIO,
    );
    await client.first((r) => payloadText(r).includes("ready"));
    await client.rpc("rexec.kill", { pid, signum: 40 });
    client.write(matchtag, { stream: "stdin", data: "\n" });
    expect(status(await client.stream(matchtag))).toBe(0);
  });

  it.each([
    [0, 22, "Invalid argument"],
    [65, 22, "killpg: Invalid argument"],
    [-1, 22, "killpg: Invalid argument"],
  ])("refuses signal %d", async (signum, errnum, text) => {
    const { pid } = await client.exec(command(["sleep", "60"]), STDIO);
    const response = await client.rpc("rexec.kill", { pid, signum });
    expect(response).toMatchObject({ errnum });
    expect(payloadText(response)).toBe(text);
  });

  it("reach the rest of a group whose leader has exited", async () => {
    const { matchtag, pid } = await client.exec(command(["sh", "-c", "sleep 60 & exit 3"]), STDIO);
    await client.first((r) => payloadText(r).includes("finished"));
    expect(await client.rpc("rexec.kill", { pid, signum: 9 })).toMatchObject({ errnum: 0 });
    expect((await client.stream(matchtag)).at(-1)).toMatchObject({ errnum: 61 });
  });

  it("reach no process by a pid that 32 bits would make its own", async () => {
    const { pid } = await client.exec(command(["sleep", "60"]), STDIO);
    for (const wrong of [2 ** 32 + pid, pid - 2 ** 32, -pid, 0, -1]) {
      const response = await client.rpc("rexec.kill", { pid: wrong, signum: 9 });
      expect(response).toMatchObject({ errnum: 3 });
      expect(payloadText(response)).toBe(`pid ${wrong} does not belong to any subprocess`);
      expect(await client.rpc("rexec.wait", { pid: wrong })).toMatchObject({ errnum: 3 });
    }
    expect(await client.rpc("rexec.kill", { pid, signum: 9 })).toMatchObject({ errnum: 0 });
  });

  it("are for the processes of one rank", async () => {
    const { pid } = await client.exec(command(["sleep", "60"]), STDIO, { nodeid: 1 });
    expect(await client.rpc("rexec.kill", { pid, signum: 9 }, { nodeid: 2 })).toMatchObject({ errnum: 3 });
    expect(await client.rpc("rexec.kill", { pid, signum: 9 }, { nodeid: 1 })).toMatchObject({ errnum: 0 });
  });
});

describe("a process", () => {
  it("gets the environment of the command and no more", async () => {
    const env = JSON.parse(
      '{"PATH":"/bin","FLUX_URI":"x","__proto__":"p","constructor":"c","NOTIFY_SOCKET":"n","INVOCATION_ID":"i","A=B":"c"}',
    );
    const { out } = await run(["env"], { env });
    expect(out).toBe(`PATH=/bin\n__proto__=p\nconstructor=c\nA=B=c\nFLUX_URI=${broker.uri}\n`);
  });

  it("gets the broker's environment where the command has none", async () => {
    process.env["EMBEDDED_TEST"] = "inherited";
    const { out } = await run(["printenv", "EMBEDDED_TEST", "FLUX_URI"], { env: {} });
    delete process.env["EMBEDDED_TEST"];
    expect(out).toBe(`inherited\n${broker.uri}\n`);
  });

  it("has its program in the command's PATH with a cwd, else in the broker's", async () => {
    const { cwd, ...noCwd } = command(["true"], { env: { PATH: "/nowhere" } });
    expect(cwd).toBe("/");
    await expect(client.exec({ ...noCwd, cwd: "/" }, 0)).rejects.toThrow("2 error launching process");
    await client.exec(noCwd, 0);
  });

  it.each([
    ["", 2, "No such file or directory"],
    ["/", 13, "Permission denied"],
    ["/etc/passwd/x", 20, "Not a directory"],
    ["x".repeat(5000), 36, "File name too long"],
  ])("that cannot be started gives the errno of the attempt", async (name, errnum, text) => {
    const response = await client.rpc("rexec.exec", { cmd: command([name]), flags: 0 });
    expect(response).toMatchObject({ errnum });
    expect(payloadText(response)).toBe(`error launching process: ${text}`);
  });

  it("runs in /tmp and reports a directory that does not exist", async () => {
    const { out, err } = await run(["pwd"], { cwd: "/etc/passwd" });
    expect([out, err]).toEqual([
      "/tmp\n",
      "Could not change dir to /etc/passwd: Not a directory. Going to /tmp instead\n",
    ]);
  });

  it("frees its label when it has ended, and not before", async () => {
    const exec = () =>
      client.rpc("rexec.exec", { cmd: command(["sleep", "60"], { label: "once" }), flags: 0 });
    await exec();
    expect(await exec()).toMatchObject({ errnum: 22 });
    await client.rpc("rexec.kill", { pid: -1, label: "once", signum: 9 });
    await eventually(
      async () => body<{ procs: unknown[] }>(await client.rpc("rexec.list", {})).procs.length === 0,
    );
    expect(await exec()).toMatchObject({ errnum: 0 });
  });
});

describe("a client that goes away", () => {
  it("ends its foreground processes with their groups", async () => {
    const { pid } = await client.exec(command(["sh", "-c", "sleep 60 & sleep 60"]), STDIO);
    client.close();
    await eventually(() => !exists(-pid));
  });

  it("leaves its attached processes, and frees those that it waited for", async () => {
    const start = { cmd: command(["sh", "-c", "read x; sleep 0.3; exit 4"], { label: "bg" }), flags: 16 };
    await client.rpc("rexec.exec", start);
    const other = await WireClient.connect(broker.uri);
    other.request("rexec.attach", { pid: -1, label: "bg", flags: 3 }, { flags: FLAG.streaming });
    await other.until(() => other.responses.length > 0);
    expect(await client.rpc("rexec.wait", { pid: -1, label: "bg" })).toMatchObject({ errnum: 16 });
    other.close();
    const third = await WireClient.connect(broker.uri);
    await eventually(async () => {
      const aside = await WireClient.connect(broker.uri);
      aside.request("rexec.wait", { pid: -1, label: "bg" });
      const { errnum } = await client.rpc(
        "rexec.attach",
        { pid: 0, label: "bg", flags: 0 },
        { flags: FLAG.streaming },
      );
      aside.close();
      return errnum === 16;
    });
    await eventually(async () => {
      const { errnum, payload } = await third.rpc("rexec.wait", { pid: -1, label: "bg" });
      return errnum === 0 && payload?.toString() === Buffer.from('{"status":1024}\0').toString();
    });
    third.close();
  });

  it("with a malformed frame is cut off alone", async () => {
    const other = await WireClient.connect(broker.uri);
    const { pid } = await other.exec(command(["sleep", "60"]), STDIO);
    other.socket.write("this is no frame at all");
    await new Promise((resolve) => other.socket.once("close", resolve));
    await eventually(() => !exists(-pid));
    expect(await client.rpc("rexec.list", {})).toMatchObject({ errnum: 0 });
  });
});

describe("requests", () => {
  it("that speak for a guest are refused", async () => {
    const response = await client.rpc("rexec.list", {}, { rolemask: 2 });
    expect(response).toMatchObject({ errnum: 1 });
    expect(payloadText(response)).toBe("Request requires owner credentials");
    expect(await client.rpc("attr.get", { name: "rank" }, { rolemask: 2 })).toMatchObject({ errnum: 0 });
  });

  it.each([
    [{ cmd: { ...command(["a"]), cmdline: "x" }, flags: 0 }, 22, "error parsing command string"],
    [{ cmd: { ...command(["a"]), env: [] }, flags: 0 }, 22, "error parsing command string"],
    [{ cmd: { ...command(["a"]), opts: { a: 1 } }, flags: 0 }, 71, "error parsing command string"],
    [
      { cmd: { ...command(["a"]), channels: ["C"] }, flags: 0 },
      22,
      "auxiliary channels are not allowed in background mode",
    ],
    [
      { cmd: command(["a"]), flags: 0, local_flags: 1 },
      22,
      "stdio-fallthrough flag is not allowed in background mode",
    ],
    [{ cmd: command(["a"]), flags: 0, local_flags: 8 }, 22, "error launching process: Invalid argument"],
    [{ cmd: command(["a"]), flags: "0" }, 71, "invalid request payload: Expected integer, got string"],
    [undefined, 71, "failed to unpack request: Protocol error"],
  ])("%j is refused as Flux refuses it", async (payload, errnum, text) => {
    const response = await client.rpc("rexec.exec", payload);
    expect(response).toMatchObject({ errnum });
    expect(payloadText(response)).toBe(text);
  });

  it("of any shape are answered, and harm nobody", { timeout: 60_000 }, async () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.integer({ min: -1, max: 31 }), fc.constant("x"));
    const command = fc.record(
      { cmdline: fc.constant(["true"]), cwd: value, env: value, opts: value, channels: value, label: value },
      { requiredKeys: ["cmdline"] },
    );
    const payload = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.record({ pid: value, signum: value, label: value, flags: value }, { requiredKeys: [] }),
      fc.record({ cmd: command, flags: value, local_flags: fc.integer({ min: 2, max: 9 }) }),
    );
    const verb = fc.constantFrom(
      "exec",
      "kill",
      "list",
      "wait",
      "attach",
      "disconnect",
      "write",
      "",
      "toString",
    );
    await fc.assert(
      fc.asyncProperty(verb, payload, fc.constantFrom(0, FLAG.streaming), async (method, json, flags) => {
        const other = await WireClient.connect(broker.uri);
        other.request(`rexec.${method}`, json as object, { flags });
        expect(await other.rpc("attr.get", { name: "rank" })).toMatchObject({ errnum: 0 });
        other.close();
      }),
    );
  });
});
