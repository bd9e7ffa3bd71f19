import { FluxError } from "../errors.js";

/** Makes a reader of RFC 42 answers that throws FluxError EPROTO if `check` fails. */
export function payloadReader<T extends object>(
  method: string,
  check: (payload: Partial<T>) => payload is T,
) {
  return (payload: object): T => {
    if (check(payload)) return payload;
    const sent = JSON.stringify(payload);
    throw new FluxError("EPROTO", `the answer to ${method} is not what RFC 42 says: ${sent}`);
  };
}
