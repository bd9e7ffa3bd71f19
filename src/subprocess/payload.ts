import { FluxError } from "../errors.js";

/** Makes a reader of the RFC 42 answers of ranks. It throws FluxError EPROTO, with the rank, if `check` fails. */
export function payloadReader<T extends object>(topic: string, check: (payload: Partial<T>) => payload is T) {
  return (payload: object, rank: number): T => {
    if (check(payload)) return payload;
    const sent = JSON.stringify(payload);
    throw new FluxError("EPROTO", `the answer to ${topic} is not what RFC 42 says: ${sent}`, { topic, rank });
  };
}
