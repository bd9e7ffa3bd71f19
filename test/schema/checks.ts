/**
 * Stands in for `src/protocol/checks.ts` when the schema is made: each check gives the JSON Schema of the values that it accepts,
 * in place of looking at a value. A check without its counterpart here is an error of the build that names it.
 */
import { MAX_ID, MAX_SEQ } from "../../src/protocol/messages.js";

export interface Field {
  schema: object;
  optional?: boolean;
}

const integer = (minimum: number, maximum: number): Field => ({
  schema: { type: "integer", minimum, maximum },
});
const field = (schema: object) => (): Field => ({ schema });
/** A definition that several messages share. */
const shared = (name: string) => field({ $ref: `#/$defs/${name}` });

const IDSET = "R|\\[R\\]".replaceAll("R", "I(-I)?(,I(-I)?)*").replaceAll("I", "(0|[1-9][0-9]*)");

/** The definitions that {@link shared} names. A schema cannot express all that the code checks: the description has the rest. */
export const DEFINITIONS = {
  seq: { ...integer(1, MAX_SEQ).schema, description: "the number of the message" },
  id: { ...integer(1, MAX_ID).schema, description: "the first id of the request" },
  rank: { ...integer(0, 0xfffffffe).schema },
  stream: {
    type: "string",
    minLength: 1,
    maxLength: 255,
    pattern: "^[^\\u0000]*$",
    description: "the name of a stream: 1 to 255 bytes of UTF-8",
  },
  nodeid: {
    type: "string",
    pattern: `^(any|all|${IDSET})$`,
    description: '"any", "all" or an RFC 22 idset of ascending ids up to 4294967294, at most 65536 of them',
  },
};

export const optional = (_: unknown, check: (value?: unknown) => Field): Field => ({
  ...check(),
  optional: true,
});
export const range = (_: unknown, min: number, max = Number.MAX_SAFE_INTEGER): Field => integer(min, max);
export const string = field({ type: "string" });
export const boolean = field({ type: "boolean" });
export const object = field({ type: "object" });
export const text = field({ type: "string", pattern: "^[^\\u0000]*$" });
export const name = field({ type: "string", minLength: 1, pattern: "^[^\\u0000]*$" });
export const natural = () => range(undefined, 0);
export const positive = () => range(undefined, 1);
export const milliseconds = () => range(undefined, 1, MAX_ID);
export const lastSeq = () => range(undefined, 0, MAX_SEQ);
/** An RFC 22 idset; that its ids ascend the code checks alone. */
export const idset = field({ type: "string", pattern: `^(${IDSET})$` });
export const overflow = field({ enum: ["stop", "gap", "kill"] });
export const seq = shared("seq");
export const id = shared("id");
export const rank = shared("rank");
export const streamName = shared("stream");
export const nodeid = shared("nodeid");
