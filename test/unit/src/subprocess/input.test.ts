import { NEVER, type Observable, of, Subject, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { exec, type InputSource, write } from "../../../../src/index.js";
import {
  bytes,
  end,
  finished,
  inputOf,
  openFlux,
  Recorder,
  type ScriptedProxy,
  settled,
  started,
} from "../../../support/peer.js";

async function reading(stdin: InputSource, credit = 1000) {
  const { flux, proxy } = await openFlux();
  const recorder = new Recorder();
  const subscription = exec(flux, ["a"], { stdin, killGrace: 0 }).subscribe(recorder);
  await settled();
  proxy.send(started(1));
  if (credit > 0) proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: credit });
  await settled();
  return { flux, proxy, recorder, subscription };
}

const eofs = (proxy: ScriptedProxy) => proxy.received.filter(({ type }) => type === "eof");
const kills = (proxy: ScriptedProxy) =>
  proxy.requests.flatMap(({ topic, payload }) => (topic === "rexec.kill" ? [payload.signum] : []));

async function* generator(...chunks: (string | Uint8Array)[]) {
  yield* chunks;
}

const streamOf = (...chunks: string[]) =>
  new ReadableStream<string>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

/** As another library's: it shares only `subscribe` with RxJS's. */
const foreign = (...chunks: string[]): InputSource => ({
  subscribe({ next, complete }) {
    for (const chunk of chunks) next?.(chunk);
    complete?.();
    return { unsubscribe() {} };
  },
});

/** A source that counts the pulls, and records whether it was stopped. */
function counted(total: number) {
  const source = {
    asked: 0,
    returned: 0,
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      source.asked++;
      return source.asked > total
        ? { done: true as const, value: undefined }
        : { done: false as const, value: "ab" };
    },
    async return() {
      source.returned++;
      return { done: true as const, value: undefined };
    },
  };
  return source;
}

describe("stdin", () => {
  it.each<[string, () => InputSource]>([
    ["text", () => "héllo"],
    ["bytes", () => bytes("héllo")],
    ["an Observable", () => of("hé", bytes("llo"))],
    ["another library's Observable", () => foreign("hé", "llo")],
    ["an array", () => ["hé", bytes("llo")]],
    ["an async generator", () => generator("hé", "llo")],
    ["a ReadableStream of bytes", () => new Blob(["héllo"]).stream()],
    ["a ReadableStream of text", () => streamOf("hé", "llo")],
  ])("is %s, then its end", async (_, source) => {
    const { proxy } = await reading(source());
    await settled();
    expect(Buffer.from(inputOf(proxy), "latin1").toString()).toBe("héllo");
    expect(proxy.received.at(-1)).toEqual({ type: "eof", id: 1, stream: "stdin" });
    expect(eofs(proxy)).toHaveLength(1);
  });

  it("may be a stream that cannot be iterated, as in some browsers", async () => {
    const stream = streamOf("a", "b");
    Object.defineProperty(stream, Symbol.asyncIterator, { value: undefined });
    const { proxy } = await reading({ getReader: () => stream.getReader() } as ReadableStream<string>);
    await settled();
    expect([inputOf(proxy), eofs(proxy).length]).toEqual(["ab", 1]);
  });

  it("is read at the speed of the process", async () => {
    const source = counted(100);
    const { proxy } = await reading(source, 3);
    await settled();
    expect([inputOf(proxy), source.asked]).toEqual(["aba", 2]);
    proxy.send({ type: "credit", id: 1, stream: "stdin", bytes: 1 });
    await settled();
    expect([inputOf(proxy), source.asked]).toEqual(["abab", 3]);
  });

  it("stops its source, once, when the process has ended", async () => {
    const source = counted(100);
    const { proxy, recorder } = await reading(source, 3);
    proxy.send(finished(1), end(1));
    await settled();
    expect([recorder.ends, source.returned, source.asked]).toEqual([["completed"], 1, 2]);
  });

  it("stops its source when its subscriber leaves", async () => {
    const source = counted(100);
    const { subscription } = await reading(source, 3);
    subscription.unsubscribe();
    await settled();
    expect([source.returned, source.asked]).toEqual([1, 2]);
  });

  it("unsubscribes from its source when the process has ended", async () => {
    const source = new Subject<string>();
    const { proxy } = await reading(source);
    source.next("a");
    expect(source.observed).toBe(true);
    proxy.send(finished(1), end(1));
    await settled();
    expect(source.observed).toBe(false);
  });

  it("unsubscribes from a source that goes on after its end was written", async () => {
    const source = new Subject<string>();
    const { flux, proxy } = await reading(source);
    await write(flux, { matchtag: 1 }, "", { eof: true }).get();
    expect(source.observed).toBe(true);
    source.next("too late");
    await settled();
    expect([source.observed, inputOf(proxy), eofs(proxy).length]).toEqual([false, "", 1]);
  });

  it("stays open for write with NEVER", async () => {
    const { proxy } = await reading(NEVER);
    expect(eofs(proxy)).toEqual([]);
  });

  it.each<[string, (error: Error) => InputSource]>([
    ["an Observable", (error) => throwError(() => error)],
    [
      "an async iterable",
      (error) => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }),
      }),
    ],
    [
      "an iterable",
      (error) => ({
        [Symbol.iterator]: () => ({
          next: () => {
            throw error;
          },
        }),
      }),
    ],
    [
      "a ReadableStream",
      (error) => new ReadableStream<string>({ start: (controller) => controller.error(error) }),
    ],
  ])("that fails, as %s, ends the process with its error", async (_, source) => {
    const error = new Error("broken");
    const { proxy, recorder } = await reading(source(error));
    await settled();
    expect(recorder.ends).toEqual([error]);
    // Nothing said that the input was complete.
    expect(eofs(proxy)).toEqual([]);
  });

  it.each<[string, InputSource]>([
    ["an Observable", of(7) as Observable<unknown> as Observable<string>],
    ["an iterable", [7] as unknown as string[]],
    ["an async iterable", generator(7 as unknown as string)],
  ])("that gives neither text nor bytes, as %s, ends the process", async (_, source) => {
    const { recorder } = await reading(source);
    await settled();
    expect(recorder.ends).toEqual([new TypeError("input is strings or Uint8Arrays, not number")]);
  });

  it("that cannot be read starts no process", async () => {
    const stream = new Blob(["x"]).stream();
    stream.getReader();
    const { proxy, recorder } = await reading(stream, 0).catch((error) => error);
    expect(recorder.ends).toEqual([expect.any(TypeError)]);
    // It is not sent, or else it is killed.
    expect(proxy.requests.length === 0 || kills(proxy).length > 0).toBe(true);
  });

  it("whose source fails when it is stopped does not keep the process from its end", async () => {
    const source = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false as const, value: "ab" }),
        return: () => {
          throw new Error("cannot stop");
        },
      }),
    };
    const { proxy, subscription } = await reading(source, 3);
    subscription.unsubscribe();
    await settled();
    expect(kills(proxy)[0]).toBe(15);
  });
});
