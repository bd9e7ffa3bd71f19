/** Processes that are stopped while the client does not consume their output: on the embedded broker. */
import { existsSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../../proxy/embedded/index.js";
import { Brakes } from "../../../../proxy/flow/brakes.js";
import { uniqueLabel, until } from "../../../support/process.js";
import { OpenHarness } from "./open-harness.js";
import { isStopped, runs, state } from "./proc.js";

const MIB = 1024 * 1024;

describe("a process whose output is not consumed", () => {
  let broker: EmbeddedBroker;
  let brakes: Brakes;
  let h: OpenHarness;
  const others: OpenHarness[] = [];
  beforeAll(async () => {
    broker = await startEmbeddedBroker({ size: 2 });
  });
  afterAll(() => broker.close());
  beforeEach(async () => {
    brakes = new Brakes();
    h = await OpenHarness.open(broker.uri, { brakes });
    h.consumes = false;
  });
  afterEach(() => {
    for (const harness of [h, ...others.splice(0)]) {
      harness.close();
      expect(harness.faults).toEqual([]);
    }
  });
  const another = async () => {
    const other = await OpenHarness.open(broker.uri, { brakes });
    others.push(other);
    return other;
  };

  const held = async (script = "exec yes", label?: string) => {
    const pid = await h.exec(1, script, label === undefined ? {} : { label });
    await isStopped(pid);
    return pid;
  };

  test("is stopped, continues when its output is consumed, and no output and no report shows it", async () => {
    await held("yes 0123456 | head -c 104857600");
    expect(h.output(1).bytes).toBeLessThan(4 * MIB);
    h.consume(1);
    await h.over(1);
    const { pieces, bytes } = h.output(1);
    expect(bytes).toBe(100 * MIB);
    expect(Buffer.concat(pieces).equals(Buffer.alloc(100 * MIB, "0123456\n"))).toBe(true);
    expect(h.messages.map((m) => (m.type === "response" ? m.payload["type"] : m.type))).toEqual(
      expect.not.arrayContaining(["gap", "stopped"]),
    );
  });

  test("is stopped while there is no socket, and nothing is missing", async () => {
    h.outbox.detach();
    h.request(1, "yes 0123456 | head -c 10485760");
    await until(() => h.waiting > MIB / 2, "its output waits");
    const user = await another();
    user.send({ type: "request", id: 1, topic: "rexec.list", nodeid: "0", streaming: false, payload: {} });
    const list = await user.message(1, ({ type }) => type === "response");
    const [{ pid }] = (list as unknown as { payload: { procs: [{ pid: number }] } }).payload.procs;
    await isStopped(pid);
    expect(h.waiting).toBeLessThan(4 * MIB);
    h.consumes = true;
    h.resume();
    await h.over(1);
    expect(Buffer.concat(h.output(1).pieces).equals(Buffer.alloc(10 * MIB, "0123456\n"))).toBe(true);
  });

  test("stays stopped where its user has stopped it, until its user continues it", async () => {
    const pid = await held();
    // The proxy alone had stopped it before: now its user gets a report.
    expect(h.responseTypes(1)).toEqual(["started"]);
    const user = await another();
    expect(await user.kill(2, { pid }, 19)).toBe(0);
    await h.message(1, (m) => m.type === "response" && m.payload["type"] === "stopped");
    h.consume(1);
    await until(() => h.waiting === 0, "all is consumed");
    expect(state(pid)).toBe("T");
    const { bytes } = h.output(1);
    expect(await user.kill(3, { pid }, 18)).toBe(0);
    await until(() => h.output(1).bytes > bytes + MIB, "it goes on");
    expect(h.responseTypes(1)).toEqual(["started", "stopped"]);
  });

  test("reports its user's stop, and not the proxy's after that", async () => {
    const pid = await h.exec(1, "trap 'exec yes' USR1; echo up; while :; do read -r line; done");
    await until(() => h.text(1) === "up\n", "it has set its trap");
    expect(await h.kill(2, { pid }, 19)).toBe(0);
    await isStopped(pid);
    await h.message(1, (m) => m.type === "response" && m.payload["type"] === "stopped");
    expect(await h.kill(3, { pid }, 10)).toBe(0);
    expect(await h.kill(4, { pid }, 18)).toBe(0);
    await until(() => h.waiting > MIB / 2, "its output waits");
    await isStopped(pid);
    expect(h.responseTypes(1)).toEqual(["started", "stopped"]);
  });

  test.each([
    ["its pid", (pid: number) => ({ pid })],
    ["its label", () => ({ pid: -1, label: "held" })],
  ])("is ended at once by SIGTERM, in whatever session, by %s", async (_, name) => {
    const pid = await held("exec yes", "held");
    const user = await another();
    expect(await user.kill(1, name(pid), 15)).toBe(0);
    await until(() => state(pid) === undefined, "it is gone");
    h.consume(1);
    expect(await h.over(1)).toMatchObject({ type: "end" });
    expect(h.messages).toContainEqual(expect.objectContaining({ payload: { type: "finished", status: 15 } }));
  });

  test("is stopped again after a signal that did not end it", async () => {
    const pid = await held(
      `trap 'echo caught' USR1; line=$(printf %8000s x); while :; do echo "$line"; done`,
    );
    expect(await h.kill(2, { pid }, 10)).toBe(0);
    await until(() => h.text(1).includes("caught") || h.waiting > MIB + 64 * 1024, "it has run");
    await isStopped(pid);
    h.consume(1);
    await until(() => h.text(1).includes("caught"), "the signal was caught");
    await h.kill(3, { pid }, 9);
    await h.over(1);
    expect(h.responseTypes(1)).toEqual(["started", "finished"]);
  });

  test("is stopped again where somebody else has continued it", async () => {
    const pid = await held();
    const before = h.waiting;
    process.kill(pid, "SIGCONT");
    await until(() => h.waiting > before + MIB / 2, "it goes on");
    await isStopped(pid);
    expect(h.waiting).toBeLessThanOrEqual(16 * MIB);
    h.consume(1);
    await runs(pid);
  });

  test("drops the oldest output, and says so, where the process cannot be stopped", async () => {
    // A session of its own is a process group of its own, which no signal of the server's reaches.
    const done = join(tmpdir(), uniqueLabel());
    await h.exec(1, `setsid sh -c 'yes | head -c 32000000; mkdir ${done}'`);
    await until(() => existsSync(done), "it has written all");
    rmdirSync(done);
    expect(h.waiting).toBeLessThanOrEqual(16 * MIB);
    h.consume(1);
    await h.over(1);
    const gaps = h.messages.filter((m) => m.type === "gap");
    expect(gaps.length).toBeGreaterThan(0);
    expect(h.output(1).bytes + gaps.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(32_000_000);
  });

  test("that exits when it is to be stopped is no error", async () => {
    for (let id = 1; id <= 10; id++) {
      h.request(id, "head -c 3200000 /dev/zero | tr '\\0' x");
      await h.pid(id);
      h.consume(id);
      expect(await h.over(id)).toMatchObject({ type: "end" });
      expect(h.output(id).bytes).toBe(3_200_000);
      h.consumes = false;
    }
  });

  test("goes on in the background when an attach to it ends, by detach or with its session", async () => {
    const user = await another();
    const pid = await user.exec(1, "exec yes", {
      streaming: false,
    });
    await h.attach(1, pid, "stop");
    // Not only for writing faster than it is read: the last message is to find output that waits.
    await until(() => h.waiting > MIB / 2 && state(pid) === "T", "it is stopped and its output waits");
    h.send({ type: "detach", id: 1 });
    await runs(pid);
    expect(h.messages.filter(({ type }) => type === "error")).toEqual([]);
    h.consume(1);
    expect(await h.over(1)).toMatchObject({ type: "error", errno: 125 });
    // Its server learns a moment later that no client follows it any more.
    let ending = await another();
    const attached = async () => {
      await ending.attach(1, pid, "stop");
      return ending.responseTypes(1)[0] === "attached";
    };
    ending.consumes = false;
    while (!(await attached())) {
      ending = await another();
      ending.consumes = false;
    }
    await isStopped(pid);
    ending.close();
    await runs(pid);
    expect(await user.kill(2, { pid }, 9)).toBe(0);
  });
});
