import { from, of, Subject, throwError } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { toReadableStream, values } from "../../../../src/index.js";
import { deliver } from "../../../../src/session/consumption.js";
import { Pulled } from "../../../../src/subprocess/pulled.js";
import { settled } from "../../../support/peer.js";

/** Gives out values, and notes which of them were consumed. */
function feeding(push: (value: string) => void) {
  const consumed: string[] = [];
  const feed = (...given: string[]) => {
    for (const value of given)
      deliver(
        () => push(value),
        () => consumed.push(value),
      );
  };
  return { feed, consumed };
}

describe("Pulled", () => {
  it("consumes values when they are read, in order", async () => {
    const pulled = new Pulled<string>();
    const { feed, consumed } = feeding((value) => pulled.push(value));
    feed("a", "b");
    await settled();
    expect(consumed).toEqual([]);
    const reader = pulled.stream.getReader();
    expect(await reader.read()).toEqual({ done: false, value: "a" });
    expect(consumed).toEqual(["a"]);
    const [second, third] = [reader.read(), reader.read()];
    feed("c", "d");
    expect([(await second).value, (await third).value]).toEqual(["b", "c"]);
    expect(consumed).toEqual(["a", "b", "c"]);
  });

  it("ends after the waiting values", async () => {
    const pulled = new Pulled<string>();
    const { feed } = feeding((value) => pulled.push(value));
    feed("a");
    pulled.end();
    feed("late");
    const reader = pulled.stream.getReader();
    expect(await reader.read()).toEqual({ done: false, value: "a" });
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });

  it("fails after the waiting values, and once", async () => {
    const pulled = new Pulled<string>();
    const { feed } = feeding((value) => pulled.push(value));
    feed("a");
    pulled.fail(new Error("first"));
    pulled.fail(new Error("second"));
    pulled.end();
    const reader = pulled.stream.getReader();
    expect(await reader.read()).toEqual({ done: false, value: "a" });
    await expect(reader.read()).rejects.toThrow("first");
  });

  it.each(["read", "ended", "waiting"])(
    "that is dropped leaves no reader waiting, nor with a part for the whole: %s",
    async (state) => {
      const pulled = new Pulled<string>();
      const { feed, consumed } = feeding((value) => pulled.push(value));
      const reader = pulled.stream.getReader();
      const read = state === "read" ? reader.read() : undefined;
      if (state === "ended") feed("a");
      if (state === "ended") pulled.end();
      pulled.drop(new Error("dropped"));
      feed("b");
      await expect(read ?? reader.read()).rejects.toThrow("dropped");
      expect(consumed.at(-1)).toBe("b");
    },
  );

  it("that is cancelled holds no value, earlier or later", async () => {
    const cancel = vi.fn();
    const pulled = new Pulled<string>({ cancel });
    const { feed, consumed } = feeding((value) => pulled.push(value));
    feed("a", "b");
    await pulled.stream.cancel();
    feed("c");
    pulled.end();
    expect(consumed).toEqual(["a", "b", "c"]);
    expect(cancel).toHaveBeenCalledOnce();
  });
});

describe("toReadableStream", () => {
  it("subscribes at the first read, and cancel unsubscribes", async () => {
    const source = new Subject<string>();
    const stream = toReadableStream(source);
    await settled();
    expect(source.observed).toBe(false);
    const reader = stream.getReader();
    const read = reader.read();
    await settled();
    expect(source.observed).toBe(true);
    source.next("a");
    expect((await read).value).toBe("a");
    await reader.cancel();
    expect(source.observed).toBe(false);
  });

  it("has all values, then the end or the error", async () => {
    const all: number[] = [];
    for await (const value of values(from([1, 2, 3]))) all.push(value);
    expect(all).toEqual([1, 2, 3]);
    const reader = toReadableStream(throwError(() => new Error("no"))).getReader();
    await expect(reader.read()).rejects.toThrow("no");
    expect(await new Response(toReadableStream(of(new Uint8Array([104, 105])))).text()).toBe("hi");
  });
});

describe("values", () => {
  it("unsubscribes when the loop is left", async () => {
    const source = new Subject<number>();
    const seen: number[] = [];
    const loop = (async () => {
      for await (const value of values(source)) {
        seen.push(value);
        if (value === 2) break;
      }
    })();
    await settled();
    for (const value of [1, 2, 3]) source.next(value);
    await loop;
    expect([seen, source.observed]).toEqual([[1, 2], false]);
  });
});
