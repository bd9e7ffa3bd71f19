/** Requests and input that the client has signed, and those that the proxy is to sign. */
import type { JWTPayload } from "jose";
import { ALL_RANKS, encodeDataFrame } from "../../../src/protocol/frame.js";
import { signedPayload } from "../../../src/signing/signer.js";
import type { RawClient } from "../../unit/proxy/support/raw-client.js";
import { detail, exec, kill, type RequestTemplate, runTrial, signed, watch } from "../requests.js";
import { type Attempt, GUEST, goodClaims, ME, type Refusal, type World } from "../world.js";

type Make = (world: World) => Promise<RequestTemplate>;

const row = (
  name: string,
  reason: RegExp,
  bad: Make,
  good: Make = (world) => signed(world, exec()),
  claims: JWTPayload = {},
): Refusal => ({
  name: `signed: ${name}`,
  reason,
  bad: async (world) => runTrial(world, { claims, request: await bad(world) }),
  good: async (world) => runTrial(world, { claims, request: await good(world) }),
});

/** A request whose signature is over any text. */
const over = async (world: World, text: string): Promise<RequestTemplate> => ({
  ...exec(),
  payload: { signature: await (await world.me.signer()).sign(text) },
});

const REQUESTS: Refusal[] = [
  row("for another topic", /exec: signature is of another topic$/, (world) =>
    signed(world, exec(), { topic: "rexec.kill" }),
  ),
  row("for another service", /exec: signature is of another topic$/, (world) =>
    signed(world, exec(), { topic: "sdexec.exec" }),
  ),
  row("without a topic", /exec: signature is of another topic$/, (world) => over(world, '{"flags":3}')),
  row("by another user", /exec: signature is of another user$/, (world) =>
    signed(world, exec(), { as: world.guest }),
  ),
  row("what is no text", /exec: signature is not a string$/, async () => ({
    ...exec(),
    payload: { signature: 7 },
  })),
  row("what is no signature", /exec: signature is not HEADER/, async () => ({
    ...exec(),
    payload: { signature: "x" },
  })),
  row("what is no JSON", /exec: signature's payload is not JSON$/, (world) => over(world, "exec")),
  row("what is no object", /exec: signature's payload is not an object$/, (world) => over(world, "[]")),
  row(
    "a list, by another user",
    /list: signature is of another user$/,
    (world) => signed(world, { topic: "rexec.list", payload: {} }, { as: world.guest }),
    (world) => signed(world, { topic: "rexec.list", payload: {} }),
  ),
  row(
    "a watch, by another user",
    /watch: signature is of another user$/,
    (world) => signed(world, watch, { as: world.guest }),
    (world) => signed(world, watch),
  ),
  row(
    "a watch, of another topic",
    /watch: signature is of another topic$/,
    (world) => signed(world, watch, { topic: "rexec.kill" }),
    (world) => signed(world, watch),
  ),
  row(
    "a watch, of more than a list",
    /watch: signature is of more than a list$/,
    (world) => signed(world, { ...watch, payload: { interval: 1000 } }),
    (world) => signed(world, watch, { more: { interval: 1000 } }),
  ),
  row(
    "a watch, without the scope",
    /list: scope$/,
    (world) => signed(world, watch),
    (world) => signed(world, exec()),
    { scope: "exec" },
  ),
  row(
    "other than what stands beside it",
    /exec: commands$/,
    (world) => signed(world, exec({ cmdline: ["false"] }), { more: exec().payload }),
    (world) => signed(world, exec(), { more: exec({ cmdline: ["false"] }).payload }),
    detail({ commands: [["true"]] }),
  ),
  row(
    "a pid, under a limit on labels",
    /kill: labels$/,
    (world) => signed(world, kill({ pid: 1 })),
    (world) => signed(world, kill({ pid: -1, label: "mine" })),
    detail({ labels: ["mine"] }),
  ),
  row(
    "a pid beside a label",
    /kill: labels$/,
    (world) => signed(world, kill({ pid: 1, label: "mine" })),
    (world) => signed(world, kill({ pid: -1, label: "mine" })),
    detail({ labels: ["mine"] }),
  ),
  row(
    "an environment",
    /exec: env$/,
    (world) => signed(world, exec({ env: { PATH: "/evil" } })),
    (world) => signed(world, exec({ env: { LC_ALL: "C" } })),
    detail({ env: ["LC_*"] }),
  ),
  {
    name: "signed: by the proxy, which has no signer",
    reason: /^1 the proxy cannot sign: it has no signer$/,
    bad: (world) => runTrial(world, { claims: {}, request: { ...exec(), sign: true }, kind: "plain" }),
    good: (world) => runTrial(world, { claims: {}, request: { ...exec(), sign: true }, kind: "signing" }),
  },
  {
    name: "signed: by the proxy, for another user",
    reason: new RegExp(`^1 the proxy cannot sign for user ${GUEST}$`),
    bad: (world) =>
      runTrial(world, { claims: { uid: GUEST }, request: { ...exec(), sign: true }, kind: "gateway" }),
    good: (world) =>
      runTrial(world, { claims: { uid: ME }, request: { ...exec(), sign: true }, kind: "gateway" }),
  },
];

interface Write {
  topic?: string;
  matchtag?: number;
  stream?: string;
  bytes?: number;
  rank?: number;
  as?: World["guest"];
  signature?: string;
  data?: string;
}

/** A client that has a signed `cat` running on rank 0, with the id 1. */
async function running(world: World): Promise<RawClient> {
  const client = await world.open(await world.token());
  const request = await signed(world, {
    ...exec({ cmdline: ["cat"] }),
    topic: `${world.broker.shells[1]}.exec`,
  });
  client.next({ type: "request", id: 1, nodeid: "0", streaming: true, ...request });
  await client.event(1, "started");
  return client;
}

/** Sends something for that process. Input is never answered: what arrives, arrives before the list that follows. */
function input(world: World, act: (client: RawClient) => Promise<void>): Promise<Attempt> {
  return world.attempt(
    async () => ({ client: await running(world), state: undefined }),
    async (client) => {
      const before = world.relay.sent.length;
      await act(client);
      const topic = `${world.broker.shells[1]}.write`;
      const written = () => world.relay.sent.slice(before).some((message) => message.topic === topic);
      await Promise.race([client.closed, world.relay.until(written)]);
      if (written()) return undefined;
      const { code, reason } = await client.closed;
      return `${code} ${reason}`;
    },
  );
}

async function write(world: World, client: RawClient, parts: Write = {}): Promise<void> {
  const {
    topic = `${world.broker.shells[1]}.write`,
    matchtag = 1,
    stream = "stdin",
    rank = 0,
    data = "hi",
  } = parts;
  const io = { stream: "stdin", rank: "0", data };
  const signer = await (parts.as ?? world.me).signer();
  const { signature } = await signedPayload(signer, topic, { matchtag, io });
  const { bytes = data.length } = parts;
  client.next({ type: "write", id: 1, rank, stream, bytes, signature: parts.signature ?? signature });
}

const inputs = (
  name: string,
  reason: RegExp,
  bad: (world: World, client: RawClient) => Promise<void>,
): Refusal => ({
  name: `signed input: ${name}`,
  reason,
  bad: (world) => input(world, (client) => bad(world, client)),
  good: (world) => input(world, (client) => write(world, client)),
});

const writes = (name: string, reason: RegExp, parts: (world: World) => Write) =>
  inputs(name, reason, (world, client) => write(world, client, parts(world)));

const INPUTS: Refusal[] = [
  writes("for another topic", /^4400 write: signature is of another topic/, () => ({ topic: "rexec.write" })),
  writes("for another process", /^4400 write: signature is of another matchtag/, () => ({ matchtag: 2 })),
  writes("by another user", /^4400 write: signature is of another user/, ({ guest }) => ({ as: guest })),
  writes("for another stream", /^4400 write: signature is of another stream/, () => ({ stream: "other" })),
  writes("of more bytes than it says", /^4400 write has another number of bytes/, () => ({ bytes: 0 })),
  writes("for a rank that it does not run on", /^4400 request 1 is not for rank 1/, () => ({ rank: 1 })),
  writes("that is no signature", /^4400 write: signature is not HEADER/, () => ({ signature: "x" })),
  inputs("unsigned", /^4400 request 1 is signed by the client/, async (_, client) => client.input(1, "hi")),
  inputs("unsigned, its end", /^4400 request 1 is signed by the client/, async (_, client) =>
    client.next({ type: "eof", id: 1, stream: "stdin" }),
  ),
];

/** Sends the next signature of a watch when the proxy requests it. Until then the proxy sends no list to a rank. */
function renewal(world: World, make: (topic: string) => Promise<{ signature: string }>): Promise<Attempt> {
  const topic = `${world.broker.shells[1]}.list`;
  return world.attempt(
    async () => {
      const client = await world.open(await world.token());
      const payload = await signedPayload(await world.me.signer({ ttl: 1 }), topic, {});
      client.request(1, topic, payload, { nodeid: "0", streaming: true });
      await client.until(() => client.of(1).some(({ type }) => type === "stale"));
      return { client, state: undefined };
    },
    async (client) => {
      const before = world.relay.sent.length;
      client.next({ type: "fresh", id: 1, ...(await make(topic)) });
      const polled = () => world.relay.sent.slice(before).some((message) => message.topic === topic);
      await Promise.race([client.closed, world.relay.until(polled)]);
      if (polled()) return undefined;
      const { code, reason } = await client.closed;
      return `${code} ${reason}`;
    },
  );
}

const renewals = (name: string, reason: RegExp, make: (world: World, topic: string) => Renewal): Refusal => ({
  name: `signed watch: ${name}`,
  reason,
  bad: (world) =>
    renewal(world, async (topic) => {
      const { as = world.me, topic: other = topic, payload = {} } = make(world, topic);
      return signedPayload(await as.signer(), other, payload);
    }),
  good: (world) => renewal(world, async (topic) => signedPayload(await world.me.signer(), topic, {})),
});

interface Renewal {
  as?: World["guest"];
  topic?: string;
  payload?: object;
}

const WATCHES: Refusal[] = [
  renewals("by another user", /^4400 fresh: signature is of another user$/, ({ guest }) => ({ as: guest })),
  renewals("of another list", /^4400 fresh: signature is of another topic$/, () => ({ topic: "rexec.list" })),
  renewals("of a kill", /^4400 fresh: signature is of another topic$/, (_, topic) => ({
    topic: topic.replace("list", "kill"),
    payload: { pid: 1, signum: 9 },
  })),
  renewals("of more than a list", /^4400 fresh: signature is of more than a list$/, () => ({
    payload: { rank: 0 },
  })),
];

/** Input for a `cat` that was not signed, by a token with some scope. */
function plainInput(world: World, scope: string, flags: number): Promise<Attempt> {
  return world.attempt(
    async () => {
      const client = await world.open(await world.token({ ...goodClaims(), scope }));
      client.exec(1, ["cat"], { flags });
      await client.event(1, "started");
      const answered = () => client.of(1).some(({ type }) => type === "credit" || type === "refused");
      await client.until(answered);
      return { client, state: undefined };
    },
    async (client) => {
      const before = world.relay.sent.length;
      client.input(1, "hi");
      const written = () => world.relay.sent.slice(before).some(({ topic }) => topic === "rexec.write");
      const refusal = () => client.of(1).find((message) => message.type === "refused");
      await Promise.race([client.closed, world.relay.until(written)]);
      if (written()) return undefined;
      const { code } = await client.closed;
      return `${code} ${refusal()?.message ?? ""}`;
    },
  );
}

export const SIGNED: Refusal[] = [
  ...REQUESTS,
  ...INPUTS,
  ...WATCHES,
  {
    name: "input: with credit, without the scope",
    reason: /^4429 token does not allow write: scope$/,
    bad: (world) => plainInput(world, "exec", 11),
    good: (world) => plainInput(world, "exec write", 11),
  },
  {
    name: "input: with the proxy's own credit, without the scope",
    reason: /^4429 token does not allow write: scope$/,
    bad: (world) => plainInput(world, "exec", 3),
    good: (world) => plainInput(world, "exec write", 3),
  },
  {
    name: "input: signed, for a process that was not",
    reason: /^4400 request 1 is not signed by the client/,
    bad: (world) => unsignedExec(world, async (client) => write(world, client, { topic: "rexec.write" })),
    good: (world) =>
      unsignedExec(world, async (client) =>
        client.ws.send(
          encodeDataFrame({ seq: 2, id: 1, rank: ALL_RANKS, stream: "stdin", data: Buffer.from("hi") }),
        ),
      ),
  },
];

function unsignedExec(world: World, act: (client: RawClient) => Promise<void>): Promise<Attempt> {
  return world.attempt(
    async () => {
      const client = await world.open(await world.token());
      client.exec(1, ["cat"]);
      await client.event(1, "started");
      return { client, state: undefined };
    },
    async (client) => {
      const before = world.relay.sent.length;
      await act(client);
      const written = () => world.relay.sent.slice(before).some(({ topic }) => topic === "rexec.write");
      await Promise.race([client.closed, world.relay.until(written)]);
      if (written()) return undefined;
      const { code, reason } = await client.closed;
      return `${code} ${reason}`;
    },
  );
}
