/** The service of a job shell: processes by signed requests. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { FLAG, ROLE } from "../../../proxy/wire/message.js";
import { formatCertificateFile } from "../../../src/signing/curve-files.js";
import { noneSigner } from "../../../src/signing/none.js";
import { signingInput } from "../../../src/signing/signature.js";
import { type Signer, signedPayload } from "../../../src/signing/signer.js";
import { type FakeMunged, fakeMunged } from "../proxy/signing/fake-munged.js";
import { body, command, eventually, exists, output, payloadText, status, WireClient } from "./client.js";
import { asGuest, createGuest, type Guest } from "./guest.js";

const ALICE = 71001;
const STDIO = 3;
const STREAMING = { ...asGuest(ALICE), flags: FLAG.streaming };
const SILENT = { ...asGuest(ALICE), flags: FLAG.noresponse };

let alice: Guest;
let signer: Signer;
let munged: FakeMunged;
let broker: EmbeddedBroker;
let client: WireClient;
let log: string[];

beforeEach(async () => {
  log = [];
  alice = await createGuest(ALICE);
  signer = await alice.signer();
  // A munged that takes its time to say no.
  munged = await fakeMunged(async (connection) => {
    await delay(100);
    connection.end();
  });
  broker = await startEmbeddedBroker({
    size: 2,
    shells: [{ userid: ALICE, certificate: alice.certificate, mungeSocket: munged.socket }],
    log: (rank, message) => log.push(`${rank} ${message}`),
  });
  client = await WireClient.connect(broker.uri);
});
afterEach(async () => {
  client.close();
  await broker.close();
  await munged.close();
});

const topicOf = (method: string) => `${broker.shells[0]}.${method}`;

/** A request in signed form, ready to be sent. */
async function sign(method: string, payload: object, by = signer): Promise<[string, object]> {
  return [topicOf(method), await signedPayload(by, topicOf(method), payload)];
}

const rpc = async (method: string, payload: object, options = {}) =>
  client.rpc(...(await sign(method, payload)), { ...asGuest(ALICE), ...options });

const write = (matchtag: number, data: string, more = {}) => ({
  matchtag,
  io: { stream: "stdin", rank: "0", data, ...more },
});

/** A request that keeps the shell busy verifying. */
const slow = () => [topicOf("list"), { signature: `${signingInput("munge", ALICE, "{}")}.x` }] as const;

describe("a job shell's service", () => {
  it("has a name in the form of Flux's shells", () => {
    expect(broker.shells).toEqual(["71001-shell-f6sYx2X9.rexec"]);
  });

  it("runs a process, and takes its input in order", async () => {
    const exec = { cmd: command(["cat"]), flags: STDIO };
    const frames = [await sign("exec", exec)];
    for (const text of ["one ", "two ", "three"]) frames.push(await sign("write", write(1, text)));
    frames.push(await sign("write", write(1, "", { eof: true })));
    for (const [topic, payload] of frames) {
      client.request(topic, payload, topic.endsWith("exec") ? STREAMING : SILENT);
    }
    const responses = await client.stream(1);
    expect(output(responses, "stdout").toString()).toBe("one two three");
    expect(status(responses)).toBe(0);
  });

  it("has every method", async () => {
    const cmd = command(["sleep", "60"], { label: "bg" });
    const { pid } = body<{ pid: number }>(await rpc("exec", { cmd, flags: 16 }));
    const procs = [{ pid, cmd: "sleep", label: "bg", state: "R" }];
    expect(body(await rpc("list", {}))).toEqual({ rank: 0, procs });
    const attach = client.request(...(await sign("attach", { pid, flags: STDIO })), STREAMING);
    await client.first(({ matchtag }) => matchtag === attach);
    expect(payloadText(await rpc("wait", { pid }))).toBe("subprocess has a client attached");
    expect(await rpc("kill", { pid, signum: 9 })).toMatchObject({ errnum: 0 });
    expect(status(await client.stream(attach))).toBe(9);
    await rpc("exec", { cmd: command(["false"], { label: "once" }), flags: 16 });
    expect(body(await rpc("wait", { pid: -1, label: "once" }))).toEqual({ status: 256 });
  });

  it("drops and logs writes that it cannot authenticate, without a response", async () => {
    const topic = topicOf("write");
    client.request(...(await sign("exec", { cmd: command(["cat"]), flags: STDIO })), STREAMING);
    client.request(topic, write(1, "unsigned "), SILENT);
    client.request(...(await sign("write", write(1, "by none "), noneSigner(71002))), SILENT);
    client.request(...(await sign("write", write(1, "a NUL \0"))), SILENT);
    client.request(topic, { signature: 1 }, asGuest(ALICE));
    client.request(...(await sign("write", write(1, "signed", { eof: true }))), SILENT);
    expect(output(await client.stream(1), "stdout").toString()).toBe("signed");
    expect(client.responses.every(({ matchtag }) => matchtag === 1)).toBe(true);
    expect(log).toEqual(
      [
        "request signature required",
        "signature verification failed",
        "could not parse signed payload",
        "signature field is not a string",
      ].map((reason) => `0 Error decoding ${topic} request: ${reason}`),
    );
  });

  it("does one thing after the other, however long it takes to verify", async () => {
    client.request(...slow(), asGuest(ALICE));
    const exec = await sign("exec", { cmd: command(["cat"]), flags: STDIO });
    const eof = await sign("write", write(2, "", { eof: true }));
    client.request(...exec, STREAMING);
    client.request(...eof, SILENT);
    await client.stream(2);
    expect(client.responses[0]).toMatchObject({ matchtag: 1, errnum: 1 });
    expect(status(client.responses)).toBe(0);
  });

  it("kills the processes of a client that has gone before they were started", async () => {
    const other = await WireClient.connect(broker.uri);
    const exec = await sign("exec", { cmd: command(["sleep", "60"]), flags: STDIO });
    other.request(...slow(), asGuest(ALICE));
    other.request(...exec, STREAMING);
    await eventually(() => munged.requests.length > 0);
    other.close();
    await eventually(async () => payloadText(await rpc("list", {})) === '{"rank":0,"procs":[]}');
  });

  it("has a process table on each rank, apart from that of rexec", async () => {
    const cmd = command(["sleep", "60"]);
    const { pid } = body<{ pid: number }>(await rpc("exec", { cmd, flags: 0 }, { nodeid: 1 }));
    expect(body(await rpc("list", {}))).toEqual({ rank: 0, procs: [] });
    expect(body<{ procs: object[] }>(await rpc("list", {}, { nodeid: 1 })).procs).toHaveLength(1);
    expect(body(await client.rpc("rexec.list", {}, { nodeid: 1 }))).toEqual({ rank: 1, procs: [] });
    await broker.close();
    expect(exists(pid)).toBe(false);
  });

  it("answers as its user, whose role is not the owner's", async () => {
    const list = (nodeid: number) => rpc("list", {}, { nodeid });
    expect(await list(0)).toMatchObject({ userid: ALICE, rolemask: ROLE.user | ROLE.local });
    expect(await list(1)).toMatchObject({ userid: ALICE, rolemask: ROLE.user });
    const other = await client.rpc("attr.get", { name: "rank" }, asGuest(ALICE));
    expect(other).toMatchObject({ userid: process.getuid?.(), rolemask: ROLE.owner | ROLE.local });
  });

  it("reads a certificate's file at each request", async () => {
    const directory = mkdtempSync(join(tmpdir(), "flux-shell-"));
    const certificate = join(directory, "sig.pub");
    const own = await startEmbeddedBroker({ shells: [{ userid: ALICE, certificate }] });
    const other = await WireClient.connect(own.uri);
    const list = async () => (await other.rpc(...(await sign("list", {})), asGuest(ALICE))).errnum;
    expect(await list()).toBe(1);
    writeFileSync(certificate, formatCertificateFile(alice.certificate));
    expect(await list()).toBe(0);
    writeFileSync(certificate, formatCertificateFile((await createGuest(ALICE)).certificate));
    expect(await list()).toBe(1);
    other.close();
    await own.close();
    rmSync(directory, { recursive: true });
  });
});

describe("invalid shells", () => {
  it.each([
    [[{ userid: -1 }], "userid -1 is not a userid"],
    [[{ userid: 1, service: "a.b" }], 'service "a.b" is no name of a service'],
    [[{ userid: 1, service: "rexec" }], 'service "rexec" is taken'],
    [[{ userid: 1 }, { userid: 1 }], 'service "1-shell-f6sYx2X9" is taken'],
    [[{ userid: 1, mechanisms: ["rsa"] as unknown as ["none"] }], 'mechanism "rsa" is not known'],
    [[{ userid: 1, maxTtl: 0.5 }], "maxTtl must be an integer, not 0.5"],
    [[{ userid: 1, maxTtl: 0 }], "maxTtl must be greater than 0, not 0"],
  ])("%j are refused", async (shells, text) => {
    await expect(startEmbeddedBroker({ shells })).rejects.toThrow(text);
  });
});
