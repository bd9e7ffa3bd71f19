/** The proxy's plain HTTP answers. */

import { request } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateKeys } from "../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type ProxyOptions, type RunningProxy } from "../../proxy/index.js";

let broker: EmbeddedBroker;
const proxies: RunningProxy[] = [];

beforeAll(async () => {
  broker = await startEmbeddedBroker();
});
afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  await broker.close();
});

async function start(options: Partial<ProxyOptions>): Promise<URL> {
  const { jwks } = await generateKeys();
  const proxy = await createProxy({ uri: broker.uri, jwks, issuer: "i", audience: "a", ...options });
  proxies.push(proxy);
  return new URL(proxy.url.replace("ws:", "http:"));
}

interface Answer {
  status: number | undefined;
  headers: Record<string, unknown>;
  body: Buffer;
}

/** Uses node:http, since fetch would normalize the path and decompress the body. */
function ask(base: URL, path: string, { method = "GET", headers = {} } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: base.hostname, port: base.port, path, method, headers },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) });
      },
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

describe("with the dashboard", () => {
  let base: URL;
  beforeAll(async () => {
    base = await start({ dashboard: true });
  });

  test("a GET of the WebSocket's URL returns the page", async () => {
    const { status, headers, body } = await ask(base, "/");
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    for (const directive of ["frame-ancestors", "base-uri", "form-action"]) {
      expect(policy).toContain(`${directive} 'none'`);
    }
    expect(policy).not.toMatch(/unsafe|\*|data:|https?:/);
    expect(body.toString()).toContain('src="dashboard.js"');
  });

  test("each file that the page needs is there, with its content type", async () => {
    const { body: page } = await ask(base, "/");
    const { body: css } = await ask(base, "/dashboard.css");
    const names = [
      ...[...page.toString().matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name),
      ...[...css.toString().matchAll(/url\("?\.\/([^")]+)"?\)/g)].map(([, name]) => name),
    ];
    expect(names).toHaveLength(5);
    const types = await Promise.all(
      names.map(async (name) => {
        const { status, headers } = await ask(base, `/${name}`);
        return [status, headers["content-type"]];
      }),
    );
    expect(types).toEqual([
      [200, "image/svg+xml"],
      [200, "text/css; charset=utf-8"],
      [200, "text/javascript; charset=utf-8"],
      [200, "font/woff2"],
      [200, "font/woff2"],
    ]);
  });

  test("a file is compressed if the client accepts gzip, and not sent again if the client has it", async () => {
    const plain = await ask(base, "/dashboard.js");
    const zipped = await ask(base, "/dashboard.js", { headers: { "accept-encoding": "br, gzip" } });
    expect(zipped.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
    const again = await ask(base, "/dashboard.js", {
      headers: { "if-none-match": String(plain.headers["etag"]) },
    });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    const head = await ask(base, "/dashboard.js", { method: "HEAD" });
    expect([head.status, head.headers["content-length"], head.body.length]).toEqual([
      200,
      String(plain.body.length),
      0,
    ]);
  });

  test("an ETag is weak and the same for all encodings, and a proxy's form of it matches too", async () => {
    const plain = await ask(base, "/dashboard.js", { headers: { "accept-encoding": "gzip;q=0, identity" } });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    // RFC 9110 section 8.8.1: two encodings must not share a strong tag.
    const etag = String(plain.headers["etag"]);
    expect(etag).toMatch(/^W\/"/);
    for (const condition of [`"other", ${etag}`, etag.slice(2), "*"]) {
      const { status } = await ask(base, "/dashboard.js", { headers: { "if-none-match": condition } });
      expect([condition, status]).toEqual([condition, 304]);
    }
    const { status } = await ask(base, "/dashboard.js", { headers: { "if-none-match": '"other"' } });
    expect(status).toBe(200);
  });

  test.each([
    "/index.html",
    "/dashboard.js/",
    "/Dashboard.js",
    "//dashboard.js",
    "/../dashboard/dashboard.js",
    "/%2e%2e/index.js",
    "/../index.js",
    "/package.json",
    "/__proto__",
  ])("there is no %s", async (path) => {
    expect((await ask(base, path)).status).toBe(404);
  });

  test("POST is refused", async () => {
    const { status, headers } = await ask(base, "/dashboard.js", { method: "POST" });
    expect([status, headers["allow"]]).toEqual([405, "GET, HEAD"]);
  });
});

test("with a path of its own, the page has its files in the same directory", async () => {
  const base = await start({ dashboard: true, path: "/of/flux" });
  const statuses = await Promise.all(
    ["/of/flux", "/of/dashboard.js", "/of/", "/dashboard.js"].map(
      async (path) => (await ask(base, path)).status,
    ),
  );
  expect(statuses).toEqual([200, 200, 404, 404]);
});

test("a proxy without the option does not serve the dashboard", async () => {
  const base = await start({});
  expect((await ask(base, "/")).status).toBe(426);
  expect((await ask(base, "/dashboard.js")).status).toBe(404);
});

test("dashboard is a boolean", async () => {
  await expect(start({ dashboard: "yes" as unknown as boolean })).rejects.toThrow(
    new TypeError("dashboard is not a boolean"),
  );
});
