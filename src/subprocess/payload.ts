import { FluxError } from "../errors.js";

/** A payload that a subprocess server sent, once it is known to be what RFC 42 says. @throws FluxError EPROTO */
export function checkPayload<T extends object>(
  method: string,
  payload: object,
  check: (payload: Partial<T>) => payload is T,
): T {
  if (check(payload as Partial<T>)) return payload as T;
  throw new FluxError(
    "EPROTO",
    `the answer to ${method} is not what RFC 42 says: ${JSON.stringify(payload)}`,
  );
}
