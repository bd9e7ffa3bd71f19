/** The streams of an exec that the proxy gives credit for. PROTOCOL.md, "Processes". */
import { streamName } from "../../src/protocol/checks.js";
import type { Request } from "../../src/protocol/messages.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { isJsonObject } from "../broker/payload.js";
import type { Asked } from "../policy/asked.js";
import { readSigned } from "../policy/signed.js";

/** Those of an exec whose server gives no credit for them; none if it does. */
export function inputStreams(request: Request, { flags, service, signer }: Asked): string[] {
  if (flags & EXEC_FLAG.writeCredit) return [];
  // sdexec has no channels, and takes any for none.
  if (service === "sdexec") return ["stdin"];
  const { payload } =
    signer === undefined ? request : readSigned(request.payload["signature"], request.topic);
  const { cmd } = payload;
  const channels = isJsonObject(cmd) && Array.isArray(cmd.channels) ? cmd.channels : [];
  return [...new Set(["stdin", ...channels.filter((name) => streamName(name) === false)])];
}
