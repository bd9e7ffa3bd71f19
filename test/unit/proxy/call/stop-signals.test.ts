/** Stopping a process with signals that take their time: to be signed, to arrive, to be answered. */
import { beforeEach, describe, expect, test } from "vitest";
import { StopOverflow } from "../../../../proxy/call/overflow/stop.js";
import { ProcessSignals } from "../../../../proxy/call/process-signals.js";
import { SendQueue } from "../../../../proxy/call/send-queue.js";
import { Outbox } from "../../../../proxy/flow/outbox.js";
import type { RankOutput } from "../../../../proxy/flow/rank-output.js";
import { MemorySocket } from "../flow/memory-socket.js";
import { json, MemoryBroker, settle } from "../support/memory.js";

const MIB = 1024 * 1024;

/** A process of which nothing can be sent: there is no socket yet. */
class Stopped {
  readonly broker = new MemoryBroker();
  readonly outbox = new Outbox({ replay: true, overrun: () => {} });
  readonly output: RankOutput;
  readonly overflow: StopOverflow;
  /** Lets the signer finish. */
  sign!: () => void;

  constructor({ byClient = false } = {}) {
    const signed = new Promise<void>((resolve) => {
      this.sign = resolve;
    });
    const guard = (action: () => void) => action();
    this.output = this.outbox.open({
      id: 1,
      rank: 0,
      over: () => {},
      drained: () => this.overflow.drained(),
    });
    const signals = new ProcessSignals({
      service: "rexec",
      nodeid: 0,
      pid: 7,
      broker: this.broker,
      queue: new SendQueue(guard, () => {}),
      signer: byClient
        ? undefined
        : { mechanism: "none", userid: 1, sign: async (payload) => signed.then(() => payload) },
      byClient,
      guard,
    });
    this.overflow = new StopOverflow(this.output, this.outbox.backlog, signals, () => {});
  }

  write(bytes: number): void {
    for (let at = 0; at < bytes; at += 65_536) {
      this.output.push("stdout", new Uint8Array(65_536));
      this.overflow.took(65_536);
    }
  }

  /** Everything that waits is sent and consumed. */
  consume(): void {
    const socket = new MemorySocket();
    this.outbox.attach(socket, 0);
    while (this.output.bytes > 0) this.output.consumed("stdout", 65_536);
    this.outbox.detach();
  }

  /** The signals that were sent to the process. */
  get signals(): unknown[] {
    return this.broker.calls.map(({ call }) => {
      const { signature } = json(call) as { signature: string };
      return signature.startsWith("{") ? JSON.parse(signature).signum : signature;
    });
  }
}

describe("a process that is to stop before its signals are signed", () => {
  let p: Stopped;
  beforeEach(() => {
    p = new Stopped();
  });

  test("loses nothing meanwhile", async () => {
    p.write(6 * MIB);
    expect(p.output.bytes).toBe(6 * MIB);
    p.sign();
    await settle();
    expect(p.signals).toEqual([19]);
  });

  test("and is read in time does not count as stopped: its stop is reported", () => {
    p.write(2 * MIB);
    p.consume();
    expect([p.signals, p.overflow.stopped()]).toEqual([[], true]);
  });

  test("and is followed no longer is left alone", async () => {
    p.write(2 * MIB);
    p.overflow.end();
    p.sign();
    await settle();
    expect(p.signals).toEqual([]);
  });
});

test("until the client's brake arrives output is dropped beyond a bound, and the brake's signature stops the process", () => {
  const p = new Stopped({ byClient: true });
  p.write(6 * MIB);
  expect(p.output.bytes).toBe(4 * MIB);
  p.overflow.signed("STOP", "CONT");
  expect(p.signals).toEqual(["STOP"]);
});
