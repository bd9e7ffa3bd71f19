/**
 * Signatures that the real flux-security made. Their curve key is the public example of RFC 8037 appendix
 * A.1.
 */
import { readFileSync } from "node:fs";

interface Vector {
  mechanism: string;
  userid: number;
  header: { key: string; type: string; value: string }[];
  payload: string;
  signature_string: string;
}

const file = JSON.parse(
  readFileSync(new URL("../../../vectors/signatures.json", import.meta.url), "utf8"),
) as {
  curve_key_jwk: { kty: string; crv: string; d: string; x: string };
  curve_max_ttl_s: number;
  vectors: Vector[];
};

export const vectors = file.vectors;
export const curveJwk = file.curve_key_jwk;
export const curveTtl = file.curve_max_ttl_s;

export function vector(mechanism: string): Vector {
  const found = vectors.find((candidate) => candidate.mechanism === mechanism);
  if (found === undefined) throw new Error(`no vector for ${mechanism}`);
  return found;
}
