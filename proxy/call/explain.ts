/** Texts for errors of sdexec that have none, or that name a method which sdexec lacks. docs/sdexec.md */
import type { FluxError } from "../../src/errors.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { AnswerError } from "../broker/broker.js";
import type { ParsedRequest } from "../policy/parsed-request.js";

const NO_ATTACH =
  "sdexec has no attach: the output of a process in background goes to Flux's log, and wait gives its end if it is waitable";
const NO_CREDIT = "sdexec has no write-credit: an exec without that flag (8) takes input all the same";

/** The error of a server, with a text that explains it if the server sent none. */
export function explain({ operation, service, flags }: ParsedRequest, error: FluxError): FluxError {
  if (service !== "sdexec") return error;
  const { code, topic, reason } = error;
  const unknownMethod = code === "ENOSYS" && reason.startsWith("Unknown service method");
  if (operation === "attach" && unknownMethod)
    return new AnswerError(code, NO_ATTACH, { topic, cause: error });
  const wordless = code === "EINVAL" && reason === code;
  if (operation === "exec" && wordless && flags & EXEC_FLAG.writeCredit) {
    return new AnswerError(code, NO_CREDIT, { topic, cause: error });
  }
  return error;
}
