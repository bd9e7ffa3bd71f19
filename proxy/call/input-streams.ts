/** The input streams of an exec whose credit the proxy grants. PROTOCOL.md, "Processes". */
import { streamName } from "../../src/protocol/checks.js";
import type { Request } from "../../src/protocol/messages.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { isJsonObject } from "../broker/payload.js";
import type { ParsedRequest } from "../policy/parsed-request.js";
import { readSignedRequest } from "../policy/signed.js";

/** The input streams of an exec whose server grants no credit; empty if the server grants it. */
export function inputStreams(request: Request, { flags, service, signer }: ParsedRequest): string[] {
  if (flags & EXEC_FLAG.writeCredit) return [];
  // sdexec ignores channels.
  if (service === "sdexec") return ["stdin"];
  const { payload } =
    signer === undefined ? request : readSignedRequest(request.payload["signature"], request.topic);
  const { cmd } = payload;
  const channels = isJsonObject(cmd) && Array.isArray(cmd.channels) ? cmd.channels : [];
  return [...new Set(["stdin", ...channels.filter((name) => streamName(name) === false)])];
}
