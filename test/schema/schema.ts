/**
 * The JSON Schema of all messages, from the tables that the code checks with. It is built with stand-ins for the checks;
 * see `checks.ts` beside it.
 */
import { parseClientMessage, parseHello, parseProof } from "../../src/protocol/client-messages.js";
import { SUBPROTOCOL } from "../../src/protocol/messages.js";
import { parseOpening, parseServerMessage } from "../../src/protocol/server-messages.js";
import { DEFINITIONS } from "./checks.js";
import { objectOf, type Shape } from "./shape.js";

interface Group {
  from: "client" | "server";
  description: string;
  parse: (text: string) => unknown;
}

const GROUPS: Readonly<Record<string, Group>> = {
  clientHello: { from: "client", description: "the first message of a client", parse: parseHello },
  clientProof: { from: "client", description: "the answer to a challenge", parse: parseProof },
  client: { from: "client", description: "a message of a client after welcome", parse: parseClientMessage },
  serverOpening: { from: "server", description: "a message of a proxy up to welcome", parse: parseOpening },
  server: { from: "server", description: "a message of a proxy after welcome", parse: parseServerMessage },
};

const groups: Record<string, object> = {};
const messages: Record<string, object> = {};
for (const [group, { from, description, parse }] of Object.entries(GROUPS)) {
  const shapes = parse("") as Record<string, Shape>;
  const names = Object.entries(shapes).map(([type, shape]) => {
    const name = `${from}.${type}`;
    messages[name] = objectOf(shape, { type });
    return name;
  });
  groups[group] = { description, anyOf: names.map((name) => ({ $ref: `#/$defs/${name}` })) };
}

export const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: SUBPROTOCOL,
  description: "The text messages of PROTOCOL.md. Made by `npm run schema`.",
  anyOf: Object.keys(GROUPS).map((group) => ({ $ref: `#/$defs/${group}` })),
  $defs: { ...groups, ...messages, ...DEFINITIONS },
};
