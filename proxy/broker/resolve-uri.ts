/**
 * The broker's URI in the forms that Flux hands out (flux-uri(1)): a local URI as it stands, and a job id, which
 * the `flux` program resolves to the local URI of the instance that runs as that job.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseBrokerUri } from "./uri.js";

/** The time for `flux uri`, in milliseconds. */
const RESOLVE_TIMEOUT_MS = 10_000;

/** RFC 19: F58 with either prefix, decimal, or hexadecimal. No other text reaches the program. */
const JOB_ID = /^(?:[fƒ][1-9A-HJ-NP-Za-km-z]{1,11}|\d{1,20}|0x[0-9a-f]{1,16})$/;

/**
 * @param uri `local://PATH`, `jobid:ID`, or a job id alone in F58, decimal or hexadecimal
 * @returns `local://PATH`
 * @throws TypeError if `uri` has another form, or if the `flux` program is missing or cannot resolve the job id; the
 *   message names the command that prints a local URI
 */
export async function resolveBrokerUri(uri: string): Promise<string> {
  // An option of the wrong type is the configuration's to refuse.
  if (typeof uri !== "string") return uri;
  if (uri.startsWith("ssh://")) {
    throw new TypeError(
      `broker URI ${JSON.stringify(uri)} is for another host: run the proxy on that host, with the URI that ` +
        `"flux uri --local ${uri}" prints there`,
    );
  }
  const id = uri.startsWith("jobid:") ? uri.slice("jobid:".length) : uri;
  if (JOB_ID.test(id)) return await resolveJob(uri, `jobid:${id}`);
  parseBrokerUri(uri);
  return uri;
}

async function resolveJob(uri: string, target: string): Promise<string> {
  // FLUX_URI may be the very job id, which the program could not connect to.
  const { FLUX_URI, ...environment } = process.env;
  const env = FLUX_URI === undefined || FLUX_URI === uri ? environment : process.env;
  const command = ["uri", "--local", target];
  try {
    const { stdout } = await promisify(execFile)("flux", command, { env, timeout: RESOLVE_TIMEOUT_MS });
    const local = stdout.trim();
    parseBrokerUri(local);
    return local;
  } catch (cause) {
    throw new TypeError(
      `broker URI ${JSON.stringify(uri)} is a job id, and "flux ${command.join(" ")}" failed: ${failureOf(cause)}`,
      { cause },
    );
  }
}

function failureOf(error: unknown): string {
  const { code, killed, stderr, message } = error as Error & {
    code?: unknown;
    killed?: boolean;
    stderr?: string;
  };
  if (code === "ENOENT") {
    return 'there is no flux program here. Give the local:// URI that "flux uri --local" prints';
  }
  if (killed) return `it did not end within ${RESOLVE_TIMEOUT_MS} ms`;
  return stderr?.trim() || message;
}
