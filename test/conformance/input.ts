import { createHash, randomBytes } from "node:crypto";
import { from, NEVER, Observable } from "rxjs";
import { describe, expect, it } from "vitest";
import { exec, type ProcessEvent, write } from "../../src/index.js";
import { failure, run, sh, until, utf8 } from "../support/process.js";
import type { Context } from "./suite.js";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export function inputCases(context: Context): void {
  describe("input", () => {
    it("is at its end when none is given", async () => {
      const { stdout, outcome } = await run(context.flux, ["cat"]);
      expect(stdout).toHaveLength(0);
      expect(outcome).toEqual({ kind: "exited", code: 0 });
    });

    it.each([
      ["text", () => "héllo"],
      ["bytes", () => new TextEncoder().encode("héllo")],
      ["an Observable", () => from(["hé", "llo"])],
      ["an iterable", () => ["hé", new TextEncoder().encode("llo")]],
      [
        "an async iterable",
        async function* () {
          yield "hé";
          yield "llo";
        },
      ],
      ["a ReadableStream", () => new Blob(["héllo"]).stream()],
    ])("takes %s", async (_, source) => {
      const { stdout } = await run(context.flux, ["cat"], { stdin: source() });
      expect(utf8(stdout)).toBe("héllo");
    });

    it("carries 32 MiB of random bytes there and back", async () => {
      const bytes = randomBytes(32 * 1024 * 1024);
      const { stdout } = await run(context.flux, ["cat"], { stdin: bytes });
      expect(sha256(stdout)).toBe(sha256(bytes));
    });

    it("waits for a process that reads late, and does not run ahead of its buffer", async () => {
      const piece = new Uint8Array(1024 * 1024);
      let produced = 0;
      let aheadWhileAsleep = 0;
      async function* source() {
        for (; produced < 32; produced++) yield piece;
      }
      let count = "";
      await new Promise<void>((resolve, reject) => {
        exec(context.flux, sh("sleep 0.7; echo awake >&2; wc -c"), { stdin: source() }).subscribe({
          next: (event) => {
            if (event.type !== "output") return;
            if (event.stream === "stderr") aheadWhileAsleep = produced;
            else count += utf8(event.data);
          },
          error: reject,
          complete: resolve,
        });
      });
      // 4 MiB of buffer on the server, a socket's worth, and the piece in hand.
      expect(aheadWhileAsleep).toBeLessThanOrEqual(7);
      expect(count.trim()).toBe(String(32 * 1024 * 1024));
    });

    it("goes to every rank, at the speed of the slowest", async () => {
      const bytes = randomBytes(12 * 1024 * 1024);
      const script = 'case "$FLUX_URI" in *-2) sleep 0.5;; esac; sha256sum';
      const digests = new Map<number, string>();
      await new Promise<void>((resolve, reject) => {
        exec(context.flux, sh(script), { nodeid: "0-3", stdin: bytes }).subscribe({
          next: (event) => event.type === "output" && digests.set(event.rank, utf8(event.data)),
          error: reject,
          complete: resolve,
        });
      });
      const expected = `${sha256(bytes)}  -\n`;
      expect([...digests].sort()).toEqual([0, 1, 2, 3].map((rank) => [rank, expected]));
    });

    it("goes on for the others when one rank stops reading", async () => {
      const bytes = randomBytes(12 * 1024 * 1024);
      const script = 'case "$FLUX_URI" in *-1) exit 5;; esac; wc -c';
      const events: ProcessEvent[] = [];
      await new Promise<void>((resolve, reject) => {
        exec(context.flux, sh(script), { nodeid: "0-2", stdin: bytes }).subscribe({
          next: (event) => events.push(event),
          error: reject,
          complete: resolve,
        });
      });
      const counts = events.flatMap((event) => (event.type === "output" ? [utf8(event.data).trim()] : []));
      expect(counts).toEqual([String(bytes.length), String(bytes.length)]);
      expect(events).toContainEqual({ type: "finished", rank: 1, outcome: { kind: "exited", code: 5 } });
    });

    it("stops its source when the process reads no more", async () => {
      let returned = false;
      async function* endless() {
        try {
          for (;;) yield "y\n".repeat(32768);
        } finally {
          returned = true;
        }
      }
      const { stdout, outcome } = await run(context.flux, ["head", "-n", "1"], { stdin: endless() });
      expect(utf8(stdout)).toBe("y\n");
      expect(outcome).toEqual({ kind: "exited", code: 0 });
      await until(() => returned, "the source has stopped");
    });

    it("ends the process when its source fails, with the source's error", async () => {
      const broken = new Error("the source broke");
      const source = new Observable<string>((subscriber) => {
        subscriber.next("some");
        subscriber.error(broken);
      });
      await expect(run(context.flux, ["cat"], { stdin: source })).rejects.toBe(broken);
    });

    it("can be written to while the process runs, channels too", async () => {
      const script = 'read line; echo "stdin: $line"; cat <&$CHAN; cat';
      const output: string[] = [];
      await new Promise<void>((resolve, reject) => {
        const options = { stdin: NEVER, channels: ["CHAN"] };
        exec(context.flux, ["bash", "--norc", "-c", script], options).subscribe({
          next: (event) => {
            if (event.type === "output") output.push(utf8(event.data));
            if (event.type !== "started") return;
            const send = async () => {
              await write(context.flux, event, "one\n").get();
              await write(context.flux, event, "two\n", { stream: "CHAN", eof: true }).get();
              await write(context.flux, event, "three\n", { eof: true }).get();
              expect(await failure(write(context.flux, event, "four\n").get())).toMatchObject({
                code: "EPIPE",
              });
            };
            send().catch(reject);
          },
          error: reject,
          complete: resolve,
        });
      });
      expect(output.join("")).toBe("stdin: one\ntwo\nthree\n");
    });

    it("cannot be written to a process that has ended", async () => {
      const { started } = await new Promise<{ started: { matchtag: number } }>((resolve, reject) => {
        let started = { matchtag: 0 };
        exec(context.flux, ["true"]).subscribe({
          next: (event) => {
            if (event.type === "started") started = event;
          },
          error: reject,
          complete: () => resolve({ started }),
        });
      });
      expect(await failure(write(context.flux, started, "x").get())).toMatchObject({ code: "EPIPE" });
    });
  });
}
