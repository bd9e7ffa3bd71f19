/** What a client has signed to stop its process and let it go on. PROTOCOL.md, "Flow control". */
import { type Brake, CLOSE, ProtocolError } from "../../src/protocol/messages.js";
import { SIGNUM } from "../../src/protocol/signals.js";
import type { Asked } from "../policy/asked.js";
import { readSignedKill, SignedError } from "../policy/signed.js";

/**
 * Holds a `brake` against the exec or attach that it is for, and the pid that its server told.
 * @throws ProtocolError if it is anything but those two signals to that process, by who has signed the request
 */
export function checkBrake({ stop, cont }: Brake, { service, signer }: Asked, pid: number | undefined): void {
  if (signer === undefined) throw malformed("the request is not signed by the client");
  if (pid === undefined) throw malformed("the process has not started");
  const claim = { topic: `${service}.kill`, userid: signer, pid };
  try {
    readSignedKill(stop, { ...claim, signum: SIGNUM.SIGSTOP });
    readSignedKill(cont, { ...claim, signum: SIGNUM.SIGCONT });
  } catch (cause) {
    if (!(cause instanceof SignedError)) throw cause;
    throw malformed(cause.message);
  }
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(CLOSE.malformed, `brake: ${what}`);
}
