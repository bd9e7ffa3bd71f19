import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FluxError } from "../../src/errors.js";
import { InputQueue } from "../../src/session/input-queue.js";

type Step = { open: true } | { credit: number } | { write: number } | { end: true } | { over: true };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ write: fc.nat(9) }) },
  { weight: 6, arbitrary: fc.record({ credit: fc.integer({ min: 1, max: 15 }) }) },
  { weight: 2, arbitrary: fc.constant({ open: true as const }) },
  { weight: 1, arbitrary: fc.constant({ end: true as const }) },
  { weight: 1, arbitrary: fc.constant({ over: true as const }) },
);

interface Write {
  /** The bytes that were written before it, and with it. */
  from: number;
  to: number;
  /** True if it came after the end. */
  refused: boolean;
  settled: string[];
}

/** The work that the writer must have done, in sums alone. */
class Model {
  opened = false;
  ended = false;
  over = false;
  credit = 0;
  written = 0;
  sent = 0;
  eof = false;
  readonly writes: Write[] = [];

  apply(step: Step): void {
    if ("open" in step) this.opened = true;
    else if ("credit" in step) this.credit += step.credit;
    else if ("end" in step) this.ended = true;
    else if ("over" in step) this.over = true;
    if (this.opened && !this.over) {
      this.sent = Math.min(this.credit, this.written);
      this.eof ||= this.ended && this.sent === this.written;
    }
  }

  write(bytes: number): Write {
    const refused = this.over || this.ended;
    const write: Write = {
      from: this.written,
      to: this.written + (refused ? 0 : bytes),
      refused,
      settled: [],
    };
    this.writes.push(write);
    this.written = write.to;
    return write;
  }

  /** The result of a write by now. An empty one is sent when all before it are. */
  end(write: Write, fulfilled: boolean): string[] {
    if (write.refused) return ["EPIPE"];
    if (fulfilled) return ["sent"];
    return this.over ? ["EPIPE"] : [];
  }
}

/** There is always room. */
const turn = (send: () => boolean) => {
  while (send());
};

describe("InputQueue", () => {
  it("keeps bytes and order, never exceeds the credit, ends once and last, and settles every write once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const writer = new InputQueue();
        const model = new Model();
        const sent: number[] = [];
        let eofs = 0;
        const sink = {
          limit: 262_144,
          turn,
          data: (bytes: Uint8Array) => {
            expect(eofs).toBe(0);
            expect(bytes.length).toBeGreaterThan(0);
            sent.push(...bytes);
            expect(sent.length).toBeLessThanOrEqual(model.credit);
          },
          eof: () => {
            eofs++;
          },
        };
        const fulfilled = new Set<Write>();
        for (const step of steps) {
          if ("write" in step) {
            const write = model.write(step.write);
            model.apply(step);
            const bytes = Uint8Array.from({ length: step.write }, (_, i) => (write.from + i) % 251);
            writer.write(bytes).then(
              () => write.settled.push("sent"),
              (error: FluxError) => write.settled.push(error.code),
            );
          } else {
            model.apply(step);
            if ("open" in step) writer.open(sink);
            else if ("credit" in step) writer.addCredit(step.credit);
            else if ("end" in step) writer.end();
            else writer.over();
          }
          if (model.opened && !model.over) {
            for (const write of model.writes)
              if (!write.refused && write.to <= model.sent) fulfilled.add(write);
          }
          expect([sent.length, eofs]).toEqual([model.sent, model.eof ? 1 : 0]);
          for (let i = 0; i < 3; i++) await null;
          for (const write of model.writes) {
            expect(write.settled).toEqual(model.end(write, fulfilled.has(write)));
          }
        }
        expect(sent).toEqual(Array.from(sent, (_, i) => i % 251));
      }),
      { numRuns: 300 },
    );
  });

  it("cuts input larger than a frame, and loses nothing at the cuts", () => {
    fc.assert(
      fc.property(fc.integer({ min: 262_100, max: 540_000 }), fc.array(fc.nat(300_000)), (size, credits) => {
        const writer = new InputQueue();
        const bytes = new Uint8Array(size).map((_, i) => i % 251);
        const sent: Uint8Array[] = [];
        writer.open({ limit: 262_144, turn, data: (data) => sent.push(data.slice()), eof() {} });
        writer.write(bytes).catch(() => {});
        let credit = 0;
        for (const more of [...credits, size]) {
          if (more === 0) continue;
          credit += more;
          writer.addCredit(more);
          expect(sent.reduce((sum, { length }) => sum + length, 0)).toBe(Math.min(credit, size));
        }
        expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(262_144);
        expect(Buffer.concat(sent).equals(bytes)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
