/** The right to ask for ranks by the names of hosts, each refusal beside a control. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type RunningProxy } from "../../proxy/index.js";
import { connect, type Flux, hosts, list } from "../../src/index.js";
import { failure } from "../support/process.js";

const issuer = "https://issuer.test";
const audience = "flux-subprocess";

let broker: EmbeddedBroker;
let proxy: RunningProxy;
let open: (scope: string | undefined, details?: object[]) => Flux;
const handles: Flux[] = [];
const audit: Record<string, unknown>[] = [];

beforeAll(async () => {
  broker = await startEmbeddedBroker({ size: 4, hosts: ["login", "node1", "node2", "node3"] });
  const { privateJwk, jwks } = await generateKeys();
  const write = (line: string) => void audit.push(JSON.parse(line));
  proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience, audit: { write } });
  open = (scope, details) => {
    const claims = { issuer, audience, subject: "tester", ttlSeconds: 600 };
    const detailed = details?.map((detail) => ({ type: "flux_subprocess", ...detail }));
    const flux = connect(proxy.url, {
      token: signToken(privateJwk, {
        ...claims,
        ...(scope ? { scope } : {}),
        ...(detailed ? { details: detailed } : {}),
      }),
    });
    handles.push(flux);
    return flux;
  };
});
afterAll(async () => {
  for (const flux of handles) flux.close();
  await proxy?.close();
  await broker?.close();
});

const denied = (field: string) => ({ code: "EPERM", reason: `token does not allow hosts: ${field}` });

describe("hosts", () => {
  it("needs its action: no other one has the right", async () => {
    const without = open("exec attach write kill wait list watch rpc");
    expect(await failure(hosts(without).get())).toMatchObject(denied("scope"));
    expect(await failure(list(without, { nodeid: "node1" }).settle())).toMatchObject(denied("scope"));
    // Ranks need no names.
    expect(await list(without, { nodeid: [1] })).toHaveLength(1);
    const topics = open("rpc hosts", [{ actions: ["rpc"], topics: ["flux-subprocess.*"] }]);
    expect(await failure(topics.rpc("flux-subprocess.hosts").get())).toMatchObject(denied("actions"));
    const control = open("list hosts");
    expect([...(await hosts(control)).values()]).toEqual(["login", "node1", "node2", "node3"]);
    expect((await list(control, { nodeid: "node[1-2]" })).map(({ rank }) => rank)).toEqual([1, 2]);
  });

  it("gives no right to the ranks of the hosts", async () => {
    const flux = open("hosts");
    const { errors } = await list(flux, { nodeid: "node[1-2]" }).settle();
    expect(errors.map(({ code, host }) => [code, host])).toEqual([
      ["EPERM", "node1"],
      ["EPERM", "node2"],
    ]);
  });

  it("shows a host on ranks that the token does not allow as one that does not exist", async () => {
    const flux = open(undefined, [{ actions: ["hosts", "list"], ranks: "1,3" }]);
    const there = await failure(hosts(flux, { hosts: "node2" }).get());
    const absent = await failure(hosts(flux, { hosts: "node7" }).get());
    expect(there).toMatchObject({ code: "EHOSTUNREACH", reason: "no such host: node2" });
    expect({ ...there, reason: "" }).toEqual({ ...absent, reason: "" });
    expect([...(await hosts(flux))]).toEqual([
      [1, "node1"],
      [3, "node3"],
    ]);
    expect((await list(flux, { nodeid: "node[1,3]" })).map(({ rank }) => rank)).toEqual([1, 3]);
  });

  it("refuses a request of another form", async () => {
    const flux = open("hosts");
    const reason = 'flux-subprocess.hosts is a request with one answer to nodeid "any"';
    expect(await failure(flux.rpc("flux-subprocess.hosts", {}, { nodeid: 1 }).get())).toMatchObject({
      code: "EINVAL",
      reason,
    });
    for (const wrong of [7, ["node1"], {}]) {
      expect(await failure(flux.rpc("flux-subprocess.hosts", { hosts: wrong }).get())).toMatchObject({
        code: "EINVAL",
        reason: "hosts is not a string",
      });
    }
    expect(await flux.rpc("flux-subprocess.hosts", { hosts: "node1" })).toEqual({
      ranks: "1",
      hosts: ["node1"],
    });
  });

  it("is in the audit", () => {
    const records = audit.filter(({ operation }) => operation === "hosts");
    expect(records).toContainEqual(
      expect.objectContaining({ allowed: false, errno: 1, reason: "token does not allow hosts: scope" }),
    );
    expect(records).toContainEqual(expect.objectContaining({ allowed: true, errno: 0, ranks: "1,3" }));
  });
});
