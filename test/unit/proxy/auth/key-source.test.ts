import { mkdtemp, rm, unlink, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type GeneratedKeys, generateKeys, signToken } from "../../../../proxy/auth/keys.js";
import { createVerifier, type Verify } from "../../../../proxy/auth/token.js";

const issuer = "https://issuer.example";
const audience = "flux-proxy";
const claims = { issuer, audience, subject: "alice", userid: 1001, ttlSeconds: 3600 };

let first: GeneratedKeys;
let second: GeneratedKeys;
beforeAll(async () => {
  [first, second] = await Promise.all([generateKeys(), generateKeys()]);
});

/** True if tokens of the first and of the second issuer's key are accepted. */
const accepted = async (verify: Verify) =>
  Promise.all(
    [first, second].map(async ({ privateJwk }) => {
      const token = await signToken(privateJwk, claims);
      return verify(token).then(
        () => true,
        (error: Error) => error.message,
      );
    }),
  );

const UNKNOWN = "token is signed with an unknown key";
const UNAVAILABLE = "token cannot be checked: its issuer's keys are not available";

describe("a file", () => {
  let directory: string;
  let path: string;
  let faults: unknown[];
  let verify: Verify;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "jwks-"));
    path = join(directory, "jwks.json");
    await writeFile(path, JSON.stringify(first.jwks));
    faults = [];
    const onFault = (error: unknown) => faults.push(error);
    verify = await createVerifier({ jwks: path, issuer, audience }, { onFault });
  });
  afterEach(() => rm(directory, { recursive: true }));

  test("is reread when it changes", async () => {
    expect(await accepted(verify)).toEqual([true, UNKNOWN]);
    await writeFile(path, JSON.stringify({ keys: [...first.jwks.keys, ...second.jwks.keys] }));
    expect(await accepted(verify)).toEqual([true, true]);
    await writeFile(path, JSON.stringify(second.jwks));
    expect(await accepted(verify)).toEqual([UNKNOWN, true]);
    expect(faults).toEqual([]);
  });

  test.each([
    ["not JSON", () => writeFile(path, "{")],
    ["no JWK Set", () => writeFile(path, "{}")],
    ["without a key", () => writeFile(path, '{"keys":[]}')],
    ["with a secret", () => writeFile(path, '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}')],
    ["too long", () => writeFile(path, " ".repeat(1024 * 1024 + 1))],
    ["gone", () => unlink(path)],
  ])("that is %s leaves the keys as they were, and is reported once", async (_, spoil) => {
    await spoil();
    expect(await accepted(verify)).toEqual([true, UNKNOWN]);
    expect(await accepted(verify)).toEqual([true, UNKNOWN]);
    expect(faults).toEqual([expect.any(TypeError)]);
    await writeFile(path, JSON.stringify(second.jwks));
    expect(await accepted(verify)).toEqual([UNKNOWN, true]);
  });
});

describe("a URL", () => {
  let server: Server;
  let requests: number;
  let answer: RequestListener;
  let faults: unknown[];
  let verify: Verify;
  const json =
    (body: unknown): RequestListener =>
    (_, response) =>
      response.end(JSON.stringify(body));

  beforeEach(async () => {
    requests = 0;
    answer = json(first.jwks);
    server = createServer((request, response) => {
      requests++;
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
    faults = [];
    verify = await createVerifier({ jwks, issuer, audience }, { onFault: (error) => faults.push(error) });
  });
  afterEach(async () => {
    vi.useRealTimers();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test("is asked when a key is needed, and its answer kept", async () => {
    expect(requests).toBe(0);
    expect(await accepted(verify)).toEqual([true, UNKNOWN]);
    expect(await accepted(verify)).toEqual([true, UNKNOWN]);
    expect(requests).toBe(1);
  });

  test("is asked again for a key that is not known, but not at once", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await accepted(verify);
    answer = json({ keys: [...first.jwks.keys, ...second.jwks.keys] });
    vi.setSystemTime(Date.now() + 29_000);
    expect(await accepted(verify)).toEqual([true, UNKNOWN]);
    expect(requests).toBe(1);
    vi.setSystemTime(Date.now() + 2000);
    expect(await accepted(verify)).toEqual([true, true]);
    expect(requests).toBe(2);
  });

  test("is asked again in time for a key that is withdrawn", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    await accepted(verify);
    answer = json(second.jwks);
    vi.setSystemTime(Date.now() + 601_000);
    expect(await accepted(verify)).toEqual([UNKNOWN, true]);
  });

  test.each<[string, RequestListener]>([
    ["an error", (_, response) => response.writeHead(500).end()],
    ["a redirect", (_, response) => response.writeHead(302, { location: "/jwks.json" }).end()],
    ["no JSON", (_, response) => response.end("<html>")],
    ["no JWK Set", (_, response) => response.end("[]")],
    ["a secret", (_, response) => response.end('{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}')],
    ["too much", (_, response) => response.end(Buffer.alloc(1024 * 1024 + 1, " "))],
    ["nothing", (request) => request.socket.destroy()],
  ])("that answers with %s refuses tokens, and is reported", async (_, bad) => {
    answer = bad;
    expect(await accepted(verify)).toEqual([UNAVAILABLE, UNAVAILABLE]);
    expect(await accepted(verify)).toEqual([UNAVAILABLE, UNAVAILABLE]);
    // Left alone for a second.
    expect(requests).toBe(1);
    expect(faults).toMatchObject([{ name: "KeysUnavailable" }]);
  });

  test.each([
    "http://issuer.example/jwks.json",
    "http://127.0.0.1.evil.example/",
    "https://user:secret@issuer.example/",
    new URL("ftp://issuer.example/"),
  ])("%s is refused", async (jwks) => {
    await expect(createVerifier({ jwks, issuer, audience })).rejects.toThrow(TypeError);
  });
});
