/** Arbitrary values of a JSON Schema, of as much of it as the schema of the messages uses. */
import fc from "fast-check";

export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
}

const text = fc.oneof(
  fc.constantFrom("any", "all", "0-3,7", "[1]", "3,1", "0-70000", "é".repeat(200)),
  fc.string({ unit: "binary", maxLength: 8 }),
);

/** @throws Error for a schema that it does not support */
export function arbitraryOf(schema: JsonSchema, root: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return arbitraryOf(definition(schema.$ref, root), root);
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer": {
      const { minimum: min = 0, maximum: max = Number.MAX_SAFE_INTEGER } = schema;
      return fc.oneof(
        fc.constantFrom(min, max),
        fc.maxSafeInteger().map((n) => min + (Math.abs(n) % (max - min + 1))),
      );
    }
    case "string": {
      const { pattern, minLength = 0, maxLength = 1e9 } = schema;
      const fits = (value: string) =>
        (pattern === undefined || new RegExp(pattern, "u").test(value)) &&
        [...value].length >= minLength &&
        [...value].length <= maxLength;
      return text.filter(fits);
    }
    case "object":
      return schema.properties === undefined
        ? fc.dictionary(fc.string(), fc.jsonValue())
        : objectOf(schema.properties, schema.required ?? [], root);
  }
  throw new Error(`no values for ${JSON.stringify(schema)}`);
}

export function definition(ref: string, root: JsonSchema): JsonSchema {
  const found = root.$defs?.[ref.replace("#/$defs/", "")];
  if (found === undefined) throw new Error(`no definition ${ref}`);
  return found;
}

function objectOf(
  properties: Record<string, JsonSchema>,
  required: readonly string[],
  root: JsonSchema,
): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, arbitraryOf(schema, root)]),
  );
  return fc.record(fields, { requiredKeys: [...required] });
}
