/** Requests in signed form (RFC 42, "Request Authentication"). */

/** Who signs requests, and how. */
export interface Signer {
  /** The RFC 39 mechanism: "none", "munge" or "curve". */
  readonly mechanism: string;
  readonly userid: number;
  /**
   * The RFC 39 signature over `payload`, the JSON text of a request with its `topic`.
   * @param now the verifier's clock, as far as it is known, in milliseconds since 1970
   */
  sign(payload: string, now?: number): Promise<string>;
}

/**
 * The payload of a request in signed form. It holds the signature alone: what would stand beside it in plain
 * is not used by the server and would only double the size.
 *
 * @param topic the full topic string, such as "rexec.exec": a signature for one request is none for another
 */
export async function signedPayload(
  signer: Signer,
  topic: string,
  payload: object,
  now?: number,
): Promise<{ signature: string }> {
  return { signature: await signer.sign(JSON.stringify({ ...payload, topic }), now) };
}
