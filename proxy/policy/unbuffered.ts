/**
 * Background processes whose output is not cut into lines. flux-core 0.88 logs such output, and a chunk of it ends the rank's
 * broker with SIGSEGV, whether somebody is attached or not (libsubprocess/server.c, proc_output_cb).
 */
import type { Request } from "../../src/protocol/messages.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import { isSigned, type ParsedRequest } from "./parsed-request.js";
import { readSignedRequest, SignedError } from "./signed.js";

/** The options of a background process's streams: it has no auxiliary channels. */
const OPTIONS = ["stdout_LINE_BUFFER", "stderr_LINE_BUFFER"];

/** The option by which a request starts such a process; undefined for any other request. */
export function unbufferedOption(request: Request, { background }: ParsedRequest): string | undefined {
  if (!background) return undefined;
  const cmd = execPayload(request)["cmd"];
  const opts = isJsonObject(cmd) ? cmd["opts"] : undefined;
  if (!isJsonObject(opts)) return undefined;
  return OPTIONS.find((name) => Object.hasOwn(opts, name) && isFalse(opts[name]));
}

/** The payload that the server reads: of a signed request, the signed one. */
function execPayload({ topic, payload }: Request): JsonObject {
  if (!isSigned(payload)) return payload;
  try {
    return readSignedRequest(payload["signature"], topic).payload;
  } catch (error) {
    // The policy refuses the request for this error.
    if (error instanceof SignedError) return {};
    throw error;
  }
}

/** libsubprocess compares with strcasecmp(3), which reads up to the first NUL. */
function isFalse(value: unknown): boolean {
  return typeof value === "string" && /^false(?:\0|$)/i.test(value);
}
