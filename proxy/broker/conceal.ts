/** Keeps the path of the broker's socket from clients: only the operator may see it. */
import { FluxError } from "../../src/errors.js";
import type { Broker } from "./broker.js";

/**
 * A function that connects as `connect` does, and fails in words that do not name the broker's socket.
 * @param onFault receives each failure in full
 */
export function concealUri(
  connect: (userid: number) => Promise<Broker>,
  onFault: (error: unknown) => void,
): (userid: number) => Promise<Broker> {
  return async (userid) => {
    try {
      return await connect(userid);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      onFault(error);
      throw new FluxError(error.errno, `cannot connect to the broker: ${error.code}`, { cause: error });
    }
  };
}
