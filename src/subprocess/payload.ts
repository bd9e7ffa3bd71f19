import { FluxError } from "../errors.js";

/** Reads a payload that a subprocess server sent, once it is known to be what RFC 42 says. @throws FluxError EPROTO */
export function checked<T extends object>(method: string, check: (payload: Partial<T>) => payload is T) {
  return (payload: object): T => {
    if (check(payload)) return payload;
    const sent = JSON.stringify(payload);
    throw new FluxError("EPROTO", `the answer to ${method} is not what RFC 42 says: ${sent}`);
  };
}
