import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, ioBytes, ioObject, toBase64 } from "../../src/protocol/rfc42.js";
import { outcomeOf } from "../../src/subprocess/outcome.js";

/** Bytes of any kind, and text, also cut off. */
const data = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text)),
  fc.tuple(fc.string({ unit: "binary" }), fc.nat(3)).map(([text, cut]) => {
    const all = new TextEncoder().encode(text);
    return all.subarray(0, Math.max(0, all.length - cut));
  }),
);

describe("I/O object", () => {
  it("gives back the bytes that it was made of, also through JSON", () => {
    fc.assert(
      fc.property(data, (bytes) => {
        const io = ioObject("stdout", "0", bytes);
        expect([...ioBytes(io)]).toEqual([...bytes]);
        expect([...ioBytes(JSON.parse(JSON.stringify(io)))]).toEqual([...bytes]);
      }),
    );
  });

  it("is base64 exactly where there is a NUL, or Buffer's round trip through UTF-8 would lose something", () => {
    fc.assert(
      fc.property(data, (bytes) => {
        const buffer = Buffer.from(bytes);
        const isText = !bytes.includes(0) && Buffer.from(buffer.toString("utf8"), "utf8").equals(buffer);
        expect(ioObject("stdout", "0", bytes)).toEqual(
          isText
            ? { stream: "stdout", rank: "0", data: buffer.toString("utf8") }
            : { stream: "stdout", rank: "0", data: buffer.toString("base64"), encoding: "base64" },
        );
      }),
    );
  });
});

describe("base64", () => {
  it("is Buffer's", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
        const base64 = Buffer.from(bytes).toString("base64");
        expect(toBase64(bytes)).toBe(base64);
        expect([...fromBase64(base64)]).toEqual([...bytes]);
      }),
    );
  });

  it("is a TypeError, or the bytes that Buffer decodes, for any text", () => {
    const close = fc.stringMatching(/^[A-Za-z0-9+/]{0,9}={0,3}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), close), (text) => {
        let bytes: Uint8Array;
        try {
          bytes = fromBase64(text);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        expect([...bytes]).toEqual([...Buffer.from(text, "base64")]);
      }),
    );
  });
});

describe("outcomeOf", () => {
  it("agrees with wait(2)'s macros for every 16-bit status", () => {
    // <bits/waitstatus.h>
    const termsig = (status: number) => status & 0x7f;
    const exited = (status: number) => termsig(status) === 0;
    const signaled = (status: number) => (((termsig(status) + 1) << 24) >> 24) >> 1 > 0;
    const wrong: number[] = [];
    for (let status = 0; status <= 0xffff; status++) {
      const expected = exited(status)
        ? `exited ${(status & 0xff00) >> 8}`
        : signaled(status)
          ? `signaled ${termsig(status)}`
          : "not ended";
      if (said(status) !== expected) wrong.push(status);
    }
    expect(wrong).toEqual([]);
  });

  it("says nothing of any other number", () => {
    const other = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.integer({ min: 0x10000, max: 0x7fffffff }));
    fc.assert(
      fc.property(
        other.filter((status) => !(Number.isInteger(status) && status >= 0 && status <= 0xffff)),
        (status) => {
          expect(said(status)).toBe("not ended");
        },
      ),
    );
  });
});

function said(status: number): string {
  try {
    const outcome = outcomeOf(status);
    if (outcome.kind === "exited") return `exited ${outcome.code}`;
    return outcome.kind === "signaled" ? `signaled ${outcome.signal}` : outcome.kind;
  } catch (error) {
    return error instanceof TypeError ? "not ended" : String(error);
  }
}
