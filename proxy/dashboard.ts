/**
 * The dashboard's files over HTTP: exact names, read once. They are built from examples/dashboard.
 *
 * sirv 3 would not do. Its ETag is the size and the time of a file, and npm gives every packed file the same time: a browser would
 * keep a file of the version before. It compares If-None-Match with one tag only, sends gzip to a client that refuses it with
 * `q=0`, needs compressed files in the package, answers POST, and serves `/index.html` and `/dashboard.js/` too.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

/** The build of the package, for the built proxy as for its sources. */
const DIRECTORY = fileURLToPath(new URL("../dist/dashboard/", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** 'self' includes the WebSocket of the same host and port (CSP Level 3, section 6.7.2.8). */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
  vary: "accept-encoding",
};

interface File {
  readonly headers: OutgoingHttpHeaders;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
}

/** Answers a request for one of the files. @returns false if the request is for something else */
export type Dashboard = (path: string, request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Reads the dashboard's files. A plain GET of the WebSocket's own URL returns the page, and its files lie beside it.
 * @param path the path of the WebSocket's URL
 * @throws the error of readdir(2) or read(2), such as ENOENT if the package is not built
 */
export async function loadDashboard(path: string): Promise<Dashboard> {
  const beside = path.slice(0, path.lastIndexOf("/") + 1);
  const files = new Map<string, File>();
  for (const name of await readdir(DIRECTORY)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const plain = await readFile(`${DIRECTORY}${name}`);
    const etag = `W/"${createHash("sha256").update(plain).digest("base64url")}"`;
    const file = { headers: { ...HEADERS, "content-type": type, etag }, plain, gzipped: gzipSync(plain) };
    files.set(name === "index.html" ? path : beside + name, file);
  }
  return (wanted, request, response) => {
    const file = files.get(wanted);
    if (file !== undefined) send(file, request, response);
    return file !== undefined;
  };
}

function send({ headers, plain, gzipped }: File, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD", "content-length": 0 }).end();
  } else if (clientHas(request, String(headers["etag"]))) {
    response.writeHead(304, headers).end();
  } else {
    const gzip = acceptsGzip(request);
    const body = gzip ? gzipped : plain;
    response.writeHead(200, {
      ...headers,
      ...(gzip ? { "content-encoding": "gzip" } : {}),
      "content-length": body.length,
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }
}

/** RFC 9110 section 13.1.2, by the weak comparison: an HTTP proxy that compresses a file weakens its tag. */
function clientHas({ headers }: IncomingMessage, etag: string): boolean {
  const tags = headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags?.some((tag) => tag === "*" || `W/${tag}` === etag) ?? false;
}

/** RFC 9110 section 12.5.3: a weight of 0 is a refusal. */
function acceptsGzip({ headers }: IncomingMessage): boolean {
  const codings = String(headers["accept-encoding"] ?? "").split(",");
  return codings.some((coding) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(coding));
}
