/**
 * Opens a broker's socket: connects, then waits for the byte that accepts or refuses (flux-core's
 * usock.c).
 */
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { FluxError, type FluxErrorCode } from "../../src/errors.js";
import { systemCode } from "../system-code.js";
import { parseBrokerUri } from "./uri.js";

/** flux-core listens with a backlog of 5; connect(2) says EAGAIN when it is full. */
const RETRY_MS = 10;

/**
 * A socket whose acceptance byte has been read, paused.
 * @param timeoutMs for all of it
 * @throws TypeError if `uri` is not a broker's
 * @throws FluxError with the errno of connect(2), or the one that the broker refused with; ECONNRESET if it
 * closed the connection without a word; ETIMEDOUT
 */
export async function openBrokerSocket(uri: string, timeoutMs: number): Promise<Socket> {
  const path = parseBrokerUri(uri);
  const deadline = AbortSignal.timeout(timeoutMs);
  for (;;) {
    try {
      return await attempt(uri, path, deadline);
    } catch (error) {
      if (!(error instanceof FluxError) || error.code !== "EAGAIN" || deadline.aborted) throw error;
      await delay(RETRY_MS);
    }
  }
}

function attempt(uri: string, path: string, deadline: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const settle = () => {
      socket.off("error", onError).off("end", onEnd).off("data", onData);
      deadline.removeEventListener("abort", onTimeout);
    };
    const fail = (code: FluxErrorCode | number, what: string, cause?: unknown) => {
      settle();
      // A socket that is destroyed may still report an error.
      socket.on("error", () => {});
      socket.destroy();
      reject(new FluxError(code, `cannot connect to the broker at ${uri}: ${what}`, { cause }));
    };
    const onTimeout = () => fail("ETIMEDOUT", "it does not answer");
    const onError = (error: Error) => fail(systemCode(error), error.message, error);
    const onEnd = () => fail("ECONNRESET", "it closed the connection");
    const onData = (chunk: Buffer) => {
      const errno = chunk[0] as number;
      if (errno !== 0) return fail(errno, "it refused");
      settle();
      socket.pause();
      if (chunk.length > 1) socket.unshift(chunk.subarray(1));
      resolve(socket);
    };
    deadline.addEventListener("abort", onTimeout);
    socket.on("error", onError).on("end", onEnd).on("data", onData);
  });
}
