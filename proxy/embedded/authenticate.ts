/**
 * Request Authentication (RFC 42): the choice of a request's effective payload, by the steps of libsubprocess's
 * server_auth_unpack.
 */
import { FluxError } from "../../src/errors.js";
import type { ParsedSignature } from "../../src/signing/signature.js";
import { strerror } from "../strerror.js";
import { parsePayload } from "./json.js";
import type { Request } from "./request.js";
import type { Payload } from "./rexec.js";
import { cString } from "./unpack.js";

/** The one method that needs no payload. */
const WITHOUT_PAYLOAD = "list";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The payload of a request to a server that cannot verify signatures.
 * @throws FluxError EPERM if it is signed, EPROTO if it is malformed
 */
export function unsignedPayload(method: string, request: Request): Payload {
  const payload = openPayload(method, request);
  if (signatureOf(payload) === undefined) return payload;
  throw new FluxError("EPERM", "signature verification not available");
}

/**
 * The signed payload of a request. The fields beside the signature are ignored.
 * @param verify resolves if a signature is valid
 * @throws FluxError EPERM if it is not signed for this request by the user that the server runs as, EPROTO if
 * it is malformed
 */
export async function signedPayload(
  method: string,
  request: Request,
  verify: (signature: string) => Promise<ParsedSignature>,
): Promise<Payload> {
  const signature = signatureOf(openPayload(method, request));
  if (signature === undefined) throw new FluxError("EPERM", "request signature required");
  const { userid, payload } = await verify(signature);
  if (userid !== request.credential.userid) {
    throw new FluxError("EPERM", "signing userid does not match requestor");
  }
  if (userid !== request.server) {
    throw new FluxError("EPERM", "signing userid does not match server userid");
  }
  const signed = parseSigned(payload);
  const topic = "topic" in signed && typeof signed.topic === "string" ? cString(signed.topic) : undefined;
  if (topic !== request.topic) throw new FluxError("EPERM", "topic mismatch in signed payload");
  return signed;
}

function openPayload(method: string, request: Request): Payload {
  const payload = parsePayload(request.payload);
  if (payload || method === WITHOUT_PAYLOAD) return payload;
  throw new FluxError("EPROTO", `failed to unpack request: ${strerror("EPROTO")}`);
}

function signatureOf(payload: Payload): string | undefined {
  if (!payload || !Object.hasOwn(payload, "signature")) return undefined;
  const { signature } = payload as { signature: unknown };
  if (typeof signature !== "string") throw new FluxError("EPROTO", "signature field is not a string");
  return cString(signature);
}

/** jansson's json_loadb without flags: an object or array, and unlike in a plain payload no NUL in its texts. */
function parseSigned(bytes: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes), refuseText);
    if (typeof value === "object" && value !== null) return value;
  } catch {}
  throw new FluxError("EPROTO", "could not parse signed payload");
}

function refuseText(key: string, value: unknown): unknown {
  for (const text of [key, value]) {
    if (typeof text === "string" && /\0|\p{Surrogate}/u.test(text))
      throw new SyntaxError("text is not taken");
  }
  return value;
}
