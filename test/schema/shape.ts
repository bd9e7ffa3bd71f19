/** Stands in for `src/protocol/shape.ts` when the schema is made: a reader gives the shapes that it reads by. */
import type { Field } from "./checks.js";

export type Shape = Readonly<Record<string, (value?: unknown) => Field>>;

export const read = (_: string, shapes: Readonly<Record<string, Shape>>) => shapes;

export const nested = (_: unknown, shape: Shape): Field => ({ schema: objectOf(shape) });

/** The schema of an object of `shape`. Fields that it does not have are ignored. */
export function objectOf(shape: Shape, constant: Record<string, string> = {}): object {
  const properties: Record<string, object> = {};
  const required = Object.keys(constant);
  for (const [name, value] of Object.entries(constant)) properties[name] = { const: value };
  for (const [name, check] of Object.entries(shape)) {
    const { schema, optional = false } = check();
    properties[name] = schema;
    if (!optional) required.push(name);
  }
  return { type: "object", properties, required };
}
