/** Proof that a client has the key that its token is bound to. PROTOCOL.md, "Opening". */
import { createHash, randomBytes } from "node:crypto";
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from "jose";
import { FluxError } from "../../src/errors.js";
import { DEFAULT_ALGORITHMS, forbiddenParameter } from "./algorithms.js";

const TYPE = "flux-subprocess-proof+jwt";

/** How far `iat` may be from our clock, in seconds. */
const MAX_AGE = 60;

/** The longest proof that is looked at, in characters. */
const MAX_PROOF = 16 * 1024;

/** What a proof must be of. */
export interface ProofClaim {
  /** The RFC 7638 thumbprint in the token. */
  jkt: string;
  nonce: string;
  token: string;
}

/** A nonce that nobody can guess and that no other socket has. */
export function createNonce(): string {
  return randomBytes(32).toString("base64url");
}

/** @throws FluxError EACCES that says what is wrong with the proof, without quoting it */
export async function verifyProof(proof: string, { jkt, nonce, token }: ProofClaim): Promise<void> {
  const refuse = (what: string) => new FluxError("EACCES", `proof ${what}`);
  if (proof.length > MAX_PROOF) throw refuse("is too long");
  const { alg, jwk } = headerOf(proof, refuse);
  let payload: unknown;
  try {
    if ((await calculateJwkThumbprint(jwk)) !== jkt) throw refuse("is by another key than the token's");
    const key = await importJWK(jwk, alg);
    const verified = await compactVerify(proof, key, { algorithms: [alg] });
    payload = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(verified.payload));
  } catch (error) {
    throw error instanceof FluxError ? error : refuse("does not verify");
  }
  const claims = (typeof payload === "object" && payload !== null ? payload : {}) as Record<string, unknown>;
  if (claims["nonce"] !== nonce) throw refuse("is of another nonce");
  if (claims["ath"] !== createHash("sha256").update(token).digest("base64url")) {
    throw refuse("is for another token");
  }
  const iat = claims["iat"];
  if (typeof iat !== "number" || !(Math.abs(Date.now() / 1000 - iat) <= MAX_AGE)) {
    throw refuse("is not of now: its iat is more than a minute off");
  }
}

function headerOf(proof: string, refuse: (what: string) => FluxError): { alg: string; jwk: JWK } {
  let header: Record<string, unknown>;
  try {
    header = { ...decodeProtectedHeader(proof) };
  } catch {
    throw refuse("is not a JWS");
  }
  const { typ, alg, jwk } = header;
  if (typ !== TYPE) throw refuse(`is not of type ${TYPE}`);
  if (typeof alg !== "string" || !(DEFAULT_ALGORITHMS as readonly string[]).includes(alg)) {
    throw refuse("has an algorithm that is not allowed");
  }
  const parameter = forbiddenParameter(header, "jwk");
  if (parameter !== undefined) throw refuse(`has a ${parameter}, which is not taken`);
  if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk)) throw refuse("has no jwk");
  if ("d" in jwk || "k" in jwk) throw refuse("has a jwk that is not public");
  return { alg, jwk };
}
