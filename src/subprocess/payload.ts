import { FluxError } from "../errors.js";

/** Makes a reader of RFC 42 answers that throws FluxError EPROTO if `check` fails. */
export function payloadReader<T extends object>(check: (payload: Partial<T>) => payload is T) {
  return (payload: object): T => {
    if (check(payload)) return payload;
    throw new FluxError("EPROTO", `an answer that RFC 42 does not have: ${JSON.stringify(payload)}`);
  };
}
