/** Requests in signed form (RFC 42, "Request Authentication"). */
import { stringifyJson } from "../protocol/json.js";

/** Signs a user's requests with one mechanism of RFC 39. */
export interface Signer {
  /** The RFC 39 mechanism: "none", "munge" or "curve". */
  readonly mechanism: string;
  /** The Flux userid that signs. */
  readonly userid: number;
  /**
   * Signs a request.
   * @param payload the JSON text of a request with its `topic`
   * @param now the verifier's clock, in milliseconds since 1970, if the caller knows it
   * @returns the RFC 39 signature
   */
  sign(payload: string, now?: number): Promise<string>;
}

/**
 * The payload of a request in signed form. It has no field beside the signature: the server would ignore a second, plain copy
 * of the request.
 *
 * @param topic the full topic string, such as "rexec.exec", so that the signature is valid for no other request
 */
export async function signedPayload(
  signer: Signer,
  topic: string,
  payload: object,
  now?: number,
): Promise<{ signature: string }> {
  return { signature: await signer.sign(stringifyJson({ ...payload, topic }), now) };
}
