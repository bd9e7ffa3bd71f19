/** The JSON Schema of the messages and the code that checks them say the same, and so do the examples of PROTOCOL.md. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseClientMessage, parseHello, parseProof } from "../../src/protocol/client-messages.js";
import { type DataFrame, decodeDataFrame, encodeDataFrame } from "../../src/protocol/frame.js";
import { ProtocolError } from "../../src/protocol/protocol-error.js";
import { parseOpening, parseServerMessage } from "../../src/protocol/server-messages.js";
import { arbitraryOf, definition, type JsonSchema } from "./arbitrary.js";
import { generateSchema, SCHEMA_FILE } from "./generate.js";

const schema = JSON.parse(readFileSync(SCHEMA_FILE, "utf8")) as JsonSchema;
const page = readFileSync(new URL("../../src/protocol/PROTOCOL.md", import.meta.url), "utf8");
const ajv = new Ajv2020({ schemas: { page: schema as object } });

/** By the definitions of the schema. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  clientHello: parseHello,
  clientProof: parseProof,
  client: parseClientMessage,
  serverOpening: parseOpening,
  server: parseServerMessage,
};

/** Refusals of the code that no schema can express. */
const BEYOND = /^(nodeid is not|ranks is not|stream is longer|nodeid is an empty)/;

/** Why the code refuses a message; undefined if it does not. */
function refusalOf(group: string, text: string): string | undefined {
  try {
    PARSERS[group]?.(text);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError && error.closeCode === 4400) return error.message;
    throw error;
  }
}

const validate = (name: string, message: unknown) => ajv.validate(`page#/$defs/${name}`, message) as boolean;

/** The code and the schema agree on a message. @returns whether they accept it */
function agree(group: string, message: unknown): boolean {
  const text = JSON.stringify(message);
  const refusal = refusalOf(group, text);
  const accepted = validate(group, JSON.parse(text));
  if (refusal !== undefined && BEYOND.test(refusal)) return false;
  expect([text, accepted]).toEqual([text, refusal === undefined]);
  return accepted;
}

const GROUPS = Object.keys(PARSERS).flatMap((group) =>
  (schema.$defs?.[group]?.anyOf ?? []).map(({ $ref = "" }) => [$ref.replace("#/$defs/", ""), group] as const),
);
const edge = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1.5,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 48,
    2 ** 53,
    "",
    "a\0",
    [],
    {},
    true,
    "7-3",
  ),
  fc.jsonValue(),
);

test("the committed schema equals the output of `npm run schema`", async () => {
  expect(schema).toEqual(JSON.parse(JSON.stringify(await generateSchema())));
});

describe.each(GROUPS)("%s", (name, group) => {
  const valid = arbitraryOf(definition(name, schema), schema) as fc.Arbitrary<Record<string, unknown>>;

  test("is accepted by both, with fields that are unknown too", () => {
    let accepted = 0;
    fc.assert(
      fc.property(valid, fc.jsonValue(), (message, extra) => {
        if (agree(group, { ...message, "no such field": extra })) accepted++;
      }),
    );
    expect(accepted).toBeGreaterThan(0);
  });

  test("is accepted by both or by neither with a field changed or left out", () => {
    fc.assert(
      fc.property(valid, fc.nat(), fc.option(edge, { nil: undefined }), (message, n, value) => {
        const fields = Object.keys(definition(name, schema).properties ?? {});
        agree(group, { ...message, [fields[n % fields.length] as string]: value });
      }),
      { numRuns: 300 },
    );
  });
});

/** The lines of the code blocks of a language, by the side that sends them. */
function examples(language: string): { from: "client" | "server"; line: string }[] {
  const blocks = page.matchAll(/^```(\w+) (client|server)\n(.*?)^```$/gms);
  return [...blocks]
    .filter(([, found]) => found === language)
    .flatMap(([, , from, text = ""]) =>
      text
        .trim()
        .split("\n")
        .map((line) => ({ from: from as "client" | "server", line })),
    );
}

describe("the examples of PROTOCOL.md", () => {
  const messages = examples("jsonl");

  test.each(messages)("$from: $line", ({ from, line }) => {
    const message = JSON.parse(line);
    const [, group = ""] = GROUPS.find(([name]) => name === `${from}.${message.type}`) ?? [];
    expect(refusalOf(group, line)).toBeUndefined();
    expect(validate(group, message)).toBe(true);
  });

  test("are of every message", () => {
    const shown = new Set(messages.map(({ from, line }) => `${from}.${JSON.parse(line).type}`));
    expect(shown).toEqual(new Set(GROUPS.map(([name]) => name)));
  });

  test("have binary frames, in both directions", () => {
    const frames = examples("hex").map(({ from, line }) => {
      const bytes = Uint8Array.from(Buffer.from(line.replaceAll(" ", ""), "hex"));
      const frame = decodeDataFrame(bytes);
      expect(encodeDataFrame(frame)).toEqual(bytes);
      return { from, frame };
    });
    const hello = (frame: Partial<DataFrame>) => ({
      ...{ type: "data", id: 2, data: new TextEncoder().encode("hello\n") },
      ...frame,
    });
    expect(frames).toEqual([
      { from: "server", frame: hello({ seq: 258, rank: 3, stream: "stdout" }) },
      { from: "client", frame: hello({ seq: 3, rank: 0xffffffff, stream: "stdin" }) },
    ]);
  });

  test("have the vectors of a proof", () => {
    const url = new URL("../vectors/proof.json", import.meta.url);
    const { jkt, token, ath, nonce, header, payload, proof } = JSON.parse(readFileSync(url, "utf8"));
    for (const part of [jkt, token, ath, nonce, JSON.stringify(header), `${payload.iat}`, proof]) {
      expect(page).toContain(part);
    }
  });
});
