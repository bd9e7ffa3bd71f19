/** Verifies a client's proof that it has the key to which its token is bound. PROTOCOL.md, "Opening". */
import { createHash, randomBytes } from "node:crypto";
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK, type JWK } from "jose";
import { FluxError } from "../../src/errors.js";
import { DEFAULT_ALGORITHMS, forbiddenParameter } from "./algorithms.js";

const TYPE = "flux-subprocess-proof+jwt";

/** The most that `iat` may differ from the proxy's clock, in seconds. */
const MAX_AGE = 60;

/** The longest proof, in characters. */
const MAX_PROOF = 16 * 1024;

/** A proof must be for this key, this nonce and this token. */
export interface ProofClaim {
  /** The RFC 7638 thumbprint in the token. */
  jkt: string;
  nonce: string;
  token: string;
}

/** 256 random bits: nobody can guess the nonce, and no other socket has the same. */
export function createNonce(): string {
  return randomBytes(32).toString("base64url");
}

/** @throws FluxError EACCES naming the check that failed, without quoting the proof */
export async function verifyProof(proof: string, { jkt, nonce, token }: ProofClaim): Promise<void> {
  const refuse = (fault: string) => new FluxError("EACCES", `proof ${fault}`);
  if (proof.length > MAX_PROOF) throw refuse("is too long");
  const { alg, jwk } = headerOf(proof, refuse);
  let payload: unknown;
  try {
    if ((await calculateJwkThumbprint(jwk)) !== jkt)
      throw refuse("is signed with another key than the token's");
    const key = await importJWK(jwk, alg);
    const verified = await compactVerify(proof, key, { algorithms: [alg] });
    payload = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(verified.payload));
  } catch (error) {
    throw error instanceof FluxError ? error : refuse("does not verify");
  }
  const claims = (typeof payload === "object" && payload !== null ? payload : {}) as Record<string, unknown>;
  if (claims["nonce"] !== nonce) throw refuse("has another nonce");
  if (claims["ath"] !== createHash("sha256").update(token).digest("base64url")) {
    throw refuse("is for another token");
  }
  const iat = claims["iat"];
  if (typeof iat !== "number" || !(Math.abs(Date.now() / 1000 - iat) <= MAX_AGE)) {
    throw refuse(`has an iat over ${MAX_AGE} seconds from the proxy's clock`);
  }
}

function headerOf(proof: string, refuse: (fault: string) => FluxError): { alg: string; jwk: JWK } {
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
  if (parameter !== undefined) throw refuse(`has a ${parameter} in its header, which is not allowed`);
  if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk)) throw refuse("has no jwk");
  if ("d" in jwk || "k" in jwk) throw refuse("has a jwk that is not public");
  return { alg, jwk };
}
