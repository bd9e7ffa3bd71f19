/** Input and output, beyond the recorded conversations. */
import { createHash, randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { FLAG, type ResponseMessage } from "../../../proxy/wire/message.js";
import { EXEC_FLAG, type IoObject } from "../../../src/protocol/rfc42.js";
import { body, command, eventually, exists, output, payloadText, WireClient } from "./client.js";

const STDIO = EXEC_FLAG.stdout | EXEC_FLAG.stderr;
const MIB = 1024 * 1024;

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

describe("input", () => {
  it("carries 16 MiB of any bytes through cat, within the credit", { timeout: 120_000 }, async () => {
    const data = randomBytes(16 * MIB);
    const cat = command(["cat"], { opts: { stdout_LINE_BUFFER: "false" } });
    const { matchtag } = await client.exec(cat, STDIO | EXEC_FLAG.writeCredit);
    let processed = 0;
    let credit = 0;
    let sent = 0;
    const creditSince = () => {
      const news = client.responses.slice(processed).filter((r) => r.errnum === 0);
      processed = client.responses.length;
      return news.reduce(
        (sum, r) => sum + (body<{ channels?: { stdin: number } }>(r).channels?.stdin ?? 0),
        0,
      );
    };
    while (sent < data.length) {
      await client.until(() => client.responses.length > processed);
      credit += creditSince();
      while (sent < Math.min(credit, data.length)) {
        const piece = data.subarray(sent, Math.min(credit, sent + 256 * 1024));
        client.write(matchtag, { stream: "stdin", data: piece.toString("base64"), encoding: "base64" });
        sent += piece.length;
      }
    }
    client.write(matchtag, { stream: "stdin", eof: true });
    const back = output(await client.stream(matchtag), "stdout");
    const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    expect(back).toHaveLength(data.length);
    expect(digest(back)).toBe(digest(data));
    expect(credit + creditSince()).toBe(4 * MIB + data.length);
  });

  it("ends a process whose client overruns the buffer", async () => {
    const cmd = command(["sleep", "60"], { opts: { stdin_BUFSIZE: "4k" } });
    const { matchtag, pid } = await client.exec(cmd, STDIO);
    client.write(matchtag, { stream: "stdin", data: "x".repeat(4097) });
    const responses = await client.stream(matchtag);
    expect(responses.at(-1)).toMatchObject({ errnum: 28 });
    expect(payloadText(responses.at(-1) as ResponseMessage)).toBe(
      "internal fatal error: No space left on device",
    );
    await eventually(() => !exists(-pid));
    expect(body(await client.rpc("rexec.list", {}))).toEqual({ rank: 0, procs: [] });
  });

  it.each([
    ["after end of file", "stdin", 32, "Broken pipe"],
    ["to a stream that it does not have", "nope", 22, "Invalid argument"],
  ])("ends a process that is written to %s", async (_, stream, errnum, text) => {
    const { matchtag } = await client.exec(command(["sleep", "60"]), STDIO);
    client.write(matchtag, { stream: "stdin", eof: true });
    client.write(matchtag, { stream: "stdin", eof: true });
    client.write(matchtag, { stream, data: "x" });
    const last = (await client.stream(matchtag)).at(-1) as ResponseMessage;
    expect(last).toMatchObject({ errnum });
    expect(payloadText(last)).toBe(`internal fatal error: ${text}`);
  });

  it("survives a process that closes its stdin", async () => {
    const cmd = command(["sh", "-c", "exec <&-; echo closed; sleep 0.2; echo alive"]);
    const { matchtag } = await client.exec(cmd, STDIO | EXEC_FLAG.writeCredit);
    await client.first((r) => r.errnum === 0 && payloadText(r).includes("closed"));
    for (let i = 0; i < 4; i++) client.write(matchtag, { stream: "stdin", data: "x".repeat(MIB / 2) });
    const responses = await client.stream(matchtag);
    expect(output(responses, "stdout").toString()).toBe("closed\nalive\n");
    expect(responses.at(-1)).toMatchObject({ errnum: 61 });
  });

  it("drops a write without a process and a malformed write", async () => {
    const { matchtag } = await client.exec(command(["cat"]), STDIO);
    client.write(999, { stream: "stdin", data: "x" });
    client.write(matchtag, { stream: "stdin" });
    client.write(matchtag, { stream: "stdin", data: "!", encoding: "base64" });
    client.request("rexec.write", { matchtag }, { flags: FLAG.noresponse });
    client.request("rexec.write", {}, {});
    client.write(matchtag, { stream: "stdin", data: "good", eof: true });
    expect(output(await client.stream(matchtag), "stdout").toString()).toBe("good");
  });

  it("does not take a write from another connection", async () => {
    const { matchtag } = await client.exec(command(["cat"]), STDIO);
    const other = await WireClient.connect(broker.uri);
    other.write(matchtag, { stream: "stdin", data: "theirs" });
    await other.rpc("rexec.list", {});
    client.write(matchtag, { stream: "stdin", data: "ours", eof: true });
    expect(output(await client.stream(matchtag), "stdout").toString()).toBe("ours");
    other.close();
  });
});

describe("output", () => {
  it("cuts output without a newline at the buffer's size", async () => {
    const cmd = command(["printf", "abcdefghij\\nkl\\nmn"], { opts: { stdout_BUFSIZE: "8" } });
    const responses = await client.stream((await client.exec(cmd, STDIO)).matchtag);
    const data = responses.filter((r) => r.errnum === 0).map((r) => body<{ io?: IoObject }>(r).io?.data);
    expect(data.filter((text) => text !== undefined)).toEqual(["abcdefgh", "ij\n", "kl\n", "mn"]);
  });

  it.each([
    ["a process", "head -c SIZE /dev/zero | tr '\\0' x"],
    ["what a process leaves behind", "head -c SIZE /dev/zero | tr '\\0' x & read line"],
  ])("stays in %s while its client does not read", { timeout: 60_000 }, async (_, script) => {
    const count = 24 * MIB;
    const cmd = command(["sh", "-c", script.replace("SIZE", String(count))], {
      opts: { stdout_LINE_BUFFER: "false" },
    });
    client.socket.pause();
    client.request("rexec.exec", { cmd, flags: STDIO }, { flags: FLAG.streaming });
    const other = await WireClient.connect(broker.uri);
    // it would end at once if somebody read it
    for (let i = 0; i < 40; i++) {
      const { procs } = body<{ procs: { state: string }[] }>(await other.rpc("rexec.list", {}));
      if (i > 0) expect(procs).toHaveLength(1);
      if (i === 10) client.write(1, { stream: "stdin", data: "\n" });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    client.socket.resume();
    expect(output(await client.stream(1), "stdout")).toHaveLength(count);
    other.close();
  });

  it("of a background process is kept for the wait, the newest 8 KiB of it", async () => {
    const script = "printf %05000d\\\\n 1; printf %04000d\\\\n 2; printf %0100d\\\\n 3";
    await client.rpc("rexec.exec", { cmd: command(["sh", "-c", script], { label: "r" }), flags: 16 });
    const waited = body<{ output: IoObject[] }>(await client.rpc("rexec.wait", { pid: -1, label: "r" }));
    expect(waited.output.map((io) => io.data?.length)).toEqual([4001, 101]);
  });

  it("of a background process is kept whole if it is one long line", async () => {
    const long = command(["printf", "%09000d", "1"], { label: "long" });
    await client.rpc("rexec.exec", { cmd: long, flags: 16 });
    const waited = body<{ output: IoObject[] }>(await client.rpc("rexec.wait", { pid: -1, label: "long" }));
    expect(waited.output.map((io) => io.data?.length)).toEqual([9000]);
  });
});
