import fc from "fast-check";
import { expect, it } from "vitest";
import { Fifo } from "../../../../proxy/flow/fifo.js";

it("a queue gives out in the order of pushes, however far it was compacted", () => {
  const step = fc.oneof(fc.record({ push: fc.nat(200) }), fc.record({ shift: fc.nat(200) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const queue = new Fifo<number>();
      const model: number[] = [];
      let pushed = 0;
      for (const step of steps) {
        if ("push" in step) {
          for (let i = 0; i < step.push; i++) {
            queue.push(pushed);
            model.push(pushed++);
          }
        } else {
          for (let i = 0; i < step.shift; i++) expect(queue.shift()).toBe(model.shift());
        }
        expect([queue.length, queue.first, queue.last]).toEqual([model.length, model[0], model.at(-1)]);
      }
    }),
  );
});
