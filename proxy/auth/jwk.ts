/**
 * The types of keys in the public names of the proxy. They are not jose's: that is an ES module, from which the declarations for CommonJS
 * cannot import before TypeScript 5.8.
 */

/** A JSON Web Key (RFC 7517). It may have other members than these, as its type of key demands (RFC 7518, RFC 8037). */
export interface Jwk {
  /** The type of the key, such as "OKP". */
  kty?: string;
  /** The algorithm that the key is for, such as "EdDSA". */
  alg?: string;
  /** The id of the key. */
  kid?: string;
  /** The use of the key: "sig". */
  use?: string;
  /** The curve of an OKP or EC key. */
  crv?: string;
  /** The secret part of an OKP, EC or RSA key. */
  d?: string;
  [member: string]: unknown;
}

/** A JWK Set (RFC 7517 section 5). */
export interface JwkSet {
  /** The keys. */
  keys: Jwk[];
}
