/** A stop and a continue that a client signed for its process. PROTOCOL.md, "Flow control". */
import type { Brake } from "../../src/protocol/messages.js";
import { malformed } from "../../src/protocol/protocol-error.js";
import { SIGNUM } from "../../src/protocol/signals.js";
import type { ParsedRequest } from "../policy/parsed-request.js";
import { readSignedKill, SignedError } from "../policy/signed.js";

/**
 * Compares a `brake` with its exec or attach.
 * @param pid the process's, from its server; undefined before it has started
 * @throws ProtocolError unless the signer of the request signed exactly these two signals to this process
 */
export function checkBrake(
  { stop, cont }: Brake,
  { service, signer }: ParsedRequest,
  pid: number | undefined,
): void {
  if (signer === undefined) throw malformed("brake: the request is not signed by the client");
  if (pid === undefined) throw malformed("brake: the process has not started");
  const claim = { topic: `${service}.kill`, userid: signer, pid };
  try {
    readSignedKill(stop, { ...claim, signum: SIGNUM.SIGSTOP });
    readSignedKill(cont, { ...claim, signum: SIGNUM.SIGCONT });
  } catch (cause) {
    if (!(cause instanceof SignedError)) throw cause;
    throw malformed(`brake: ${cause.message}`);
  }
}
