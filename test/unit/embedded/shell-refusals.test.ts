/** Every reason for which a job shell refuses a request, each beside the same request as it should be. */
import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { noneSigner } from "../../../src/signing/none.js";
import { signingInput } from "../../../src/signing/signature.js";
import { type FakeMunged, fakeMunged } from "../proxy/signing/fake-munged.js";
import { payloadText, type SendOptions, WireClient } from "./client.js";
import { answerAsMunged, asGuest, createGuest, credential, type Guest } from "./guest.js";

const EPERM = 1;
const EPROTO = 71;
// Of nobody who might run the tests: the instance owner is treated otherwise.
const ALICE = 71001;
const BOB = 71002;
const SHELL = "71001-shell-f6sYx2X9";
const NARROW = "71001-shell-fNarrow";
const TOPIC = `${SHELL}.rexec.list`;
const MAX_TTL = 3600;

let alice: Guest;
let bob: Guest;
let munged: FakeMunged;
let broker: EmbeddedBroker;
let client: WireClient;

beforeAll(async () => {
  [alice, bob] = await Promise.all([createGuest(ALICE), createGuest(BOB)]);
  munged = await fakeMunged((connection) => connection.end(answerAsMunged(munged)));
  broker = await startEmbeddedBroker({
    shells: [
      { userid: ALICE, certificate: alice.certificate, maxTtl: MAX_TTL, mungeSocket: munged.socket },
      { userid: ALICE, service: NARROW, mechanisms: ["curve"], mungeSocket: munged.socket },
      { userid: BOB, certificate: bob.certificate, mungeSocket: "/nonexistent/munge.socket" },
    ],
  });
});
afterAll(async () => {
  await broker.close();
  await munged.close();
});
beforeEach(async () => {
  client = await WireClient.connect(broker.uri);
});
afterEach(() => client.close());

interface Attempt {
  topic?: string;
  payload?: object | undefined;
  /** The signed text, where there is no payload. */
  signed?: string;
  sign?: (text: string) => Promise<string>;
  options?: SendOptions;
}

const byAlice = async (text: string) => (await alice.signer()).sign(text);
const now = () => Math.floor(Date.now() / 1000);
const ago = (seconds: number) => () => Date.now() - seconds * 1000;

/** The error number and text of the answer to a signed list, but for what `attempt` changes. */
async function send(attempt: Attempt = {}): Promise<[number, string]> {
  const { topic = TOPIC, sign = byAlice, options = asGuest(ALICE) } = attempt;
  const signed = attempt.signed ?? JSON.stringify({ topic });
  const payload = "payload" in attempt ? attempt.payload : { signature: await sign(signed) };
  const response = await client.rpc(topic, payload, options);
  return [response.errnum, payloadText(response)];
}

/** Changes the character at `index` of the `part`th part of a signature to another of base64. */
const spoil = (part: number, index: number) => async (text: string) => {
  const parts = (await byAlice(text)).split(".");
  const characters = [...(parts[part] as string)];
  const at = index < 0 ? characters.length + index : index;
  characters[at] = characters[at] === "A" ? "B" : "A";
  parts[part] = characters.join("");
  return parts.join(".");
};

const byMunge = (uid: number, { claim = uid, time = now(), over = "" } = {}) => {
  return async (text: string) => {
    const input = signingInput("munge", claim, text);
    const hash = createHash("sha256").update(over || input);
    return `${input}.${credential(uid, time, Buffer.concat([Buffer.of(1), hash.digest()]))}`;
  };
};

const accepted: [string, Attempt][] = [
  ["curve", {}],
  ["none", { sign: noneSigner(ALICE).sign }],
  ["munge", { sign: byMunge(ALICE) }],
  ["curve, nearly too old", { sign: async (text) => (await alice.signer({ now: ago(290) })).sign(text) }],
  ["munge, nearly too old", { sign: byMunge(ALICE, { time: now() - MAX_TTL + 10 }) }],
  ["another field beside the topic", { signed: JSON.stringify({ topic: TOPIC, x: "\\u0000" }) }],
  ["an owner who speaks for the user", { options: { userid: ALICE } }],
];

const FAILED = "signature verification failed";
const refused: [string, Attempt, number, string][] = [
  ["no signature", { payload: { topic: TOPIC } }, EPERM, "request signature required"],
  ["no payload", { payload: undefined }, EPERM, "request signature required"],
  [
    "no payload where one is needed",
    { topic: `${SHELL}.rexec.exec`, payload: undefined },
    EPROTO,
    "failed to unpack request: Protocol error",
  ],
  ["a number", { payload: { signature: 1 } }, EPROTO, "signature field is not a string"],
  ["null", { payload: { signature: null } }, EPROTO, "signature field is not a string"],
  ["no text of a signature", { payload: { signature: "a.b" } }, EPERM, FAILED],
  ["a changed header", { sign: spoil(0, 20) }, EPERM, FAILED],
  ["a changed payload", { sign: spoil(1, 4) }, EPERM, FAILED],
  ["a changed signature", { sign: spoil(2, 10) }, EPERM, FAILED],
  ["bits that base64 ignores", { sign: spoil(2, -3) }, EPERM, FAILED],
  [
    "another's key",
    { sign: async (text) => (await bob.signer({ userid: ALICE })).sign(text) },
    EPERM,
    FAILED,
  ],
  [
    "the key of one who has no certificate",
    { sign: async (text) => (await alice.signer({ userid: 71003 })).sign(text), options: asGuest(71003) },
    EPERM,
    FAILED,
  ],
  [
    "an expired one",
    { sign: async (text) => (await alice.signer({ now: ago(310) })).sign(text) },
    EPERM,
    FAILED,
  ],
  [
    "one that is older than the server takes",
    { sign: async (text) => (await alice.signer({ ttl: 1e6, now: ago(MAX_TTL + 10) })).sign(text) },
    EPERM,
    FAILED,
  ],
  [
    "one of the future",
    { sign: async (text) => (await alice.signer({ now: ago(-10) })).sign(text) },
    EPERM,
    FAILED,
  ],
  ["an unknown mechanism", { sign: async (text) => `${signingInput("rsa", ALICE, text)}.x` }, EPERM, FAILED],
  ["a mechanism not taken", { topic: `${NARROW}.rexec.list`, sign: noneSigner(ALICE).sign }, EPERM, FAILED],
  ["none, in another's name", { sign: noneSigner(BOB).sign, options: asGuest(BOB) }, EPERM, FAILED],
  ["munge, by another", { sign: byMunge(BOB, { claim: ALICE }) }, EPERM, FAILED],
  ["munge, of another request", { sign: byMunge(ALICE, { over: "something else" }) }, EPERM, FAILED],
  ["munge, too old", { sign: byMunge(ALICE, { time: now() - MAX_TTL - 10 }) }, EPERM, FAILED],
  [
    "munge, no credential",
    { sign: async (text) => `${signingInput("munge", ALICE, text)}.x` },
    EPERM,
    FAILED,
  ],
  [
    "munge, with no munged",
    { topic: "71002-shell-f6sYx2X9.rexec.list", sign: byMunge(BOB), options: asGuest(BOB) },
    EPERM,
    FAILED,
  ],
  ["the owner's userid", { options: {} }, EPERM, "signing userid does not match requestor"],
  ["another guest's userid", { options: asGuest(BOB) }, EPERM, "signing userid does not match requestor"],
  [
    "another user's, in that user's name",
    { sign: async (text) => (await bob.signer()).sign(text), options: asGuest(BOB) },
    EPERM,
    "signing userid does not match server userid",
  ],
  [
    "another user's by munge",
    { sign: byMunge(BOB), options: asGuest(BOB) },
    EPERM,
    "signing userid does not match server userid",
  ],
  ["no JSON", { signed: "list" }, EPROTO, "could not parse signed payload"],
  ["nothing", { signed: "" }, EPROTO, "could not parse signed payload"],
  ["a JSON text that is no object", { signed: `"${TOPIC}"` }, EPROTO, "could not parse signed payload"],
  [
    "a NUL in a text",
    { signed: JSON.stringify({ topic: TOPIC, x: "\0" }) },
    EPROTO,
    "could not parse signed payload",
  ],
  ["an array", { signed: `["${TOPIC}"]` }, EPERM, "topic mismatch in signed payload"],
  ["no topic", { signed: "{}" }, EPERM, "topic mismatch in signed payload"],
  ["a topic that is no text", { signed: '{"topic":1}' }, EPERM, "topic mismatch in signed payload"],
  [
    "another topic",
    { signed: JSON.stringify({ topic: `${SHELL}.rexec.kill` }) },
    EPERM,
    "topic mismatch in signed payload",
  ],
  [
    "another job's topic",
    { signed: JSON.stringify({ topic: `${NARROW}.rexec.list` }) },
    EPERM,
    "topic mismatch in signed payload",
  ],
  [
    "a role that no user has",
    { options: { userid: ALICE, rolemask: 4 } },
    EPERM,
    "Request rejected due to insufficient privilege",
  ],
];

describe("a job shell", () => {
  it.each(accepted)("accepts %s", async (_, attempt) => {
    expect(await send(attempt)).toEqual([0, '{"rank":0,"procs":[]}']);
  });

  it.each(refused)("refuses %s", async (_, attempt, errnum, text) => {
    expect(await send(attempt)).toEqual([errnum, text]);
    expect((await send())[0]).toBe(0);
  });

  it("ignores the fields beside the signature", async () => {
    const topic = `${SHELL}.rexec.kill`;
    const plain = { pid: 1, signum: 0, topic };
    const kill = async (signed: object) => {
      const signature = await byAlice(JSON.stringify(signed));
      return payloadText(await client.rpc(topic, { ...plain, signature }, asGuest(ALICE)));
    };
    expect(await kill({ topic })).toBe("invalid request payload: Object item not found: pid");
    expect(await kill({ topic, pid: 999999999, signum: 15 })).toBe(
      "pid 999999999 does not belong to any subprocess",
    );
  });

  it("refuses other service names and other methods", async () => {
    for (const topic of ["71001-shell-fOther.rexec.list", `${SHELL}.rexec.x`, `${SHELL}.list`, SHELL]) {
      expect((await send({ topic }))[0]).toBe(38);
    }
  });
});
