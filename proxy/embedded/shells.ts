/** The options of embedded job shells, and their checks. */
import type { CurveCertificate } from "../../src/signing/curve-certificate.js";
import { checkUserid } from "../../src/signing/signature.js";
import { MECHANISMS, type Mechanism } from "../signing/index.js";
import { createVerifier, type Verifier } from "./verifier.js";

/** A job shell of an embedded broker. Its service accepts only its user's signed requests. */
export interface EmbeddedShellOptions {
  /** The userid of the job's user. */
  userid: number;
  /**
   * The shell's service, which contains "rexec".
   * @default "USERID-shell-f6sYx2X9"
   */
  service?: string;
  /**
   * The RFC 39 mechanisms that the shell accepts. With "none" among them, every client that may set a message's userid can sign as
   * that user.
   * @default all, as in Flux (flux_sign_unwrap_anymech)
   */
  mechanisms?: readonly Mechanism[];
  /**
   * The user's certificate for "curve", parsed, or the path of a `sig.pub`, which the shell reads for every request.
   * The shells of a broker share their certificates, as users share theirs who can read each other's files.
   */
  certificate?: CurveCertificate | string;
  /**
   * The greatest age of a signature, in seconds.
   * @default 1209600, as in flux-security's configuration
   */
  maxTtl?: number;
  /**
   * The path of munged's socket, for "munge".
   * @default munged's own default
   */
  mungeSocket?: string;
}

/** A shell with checked options. */
export interface Shell {
  userid: number;
  service: string;
  verify: Verifier;
}

const DEFAULT_JOB = "f6sYx2X9";
const DEFAULT_MAX_TTL = 14 * 24 * 60 * 60;

/**
 * Makes shells from their options.
 * @throws TypeError or RangeError if an option is invalid
 */
export function createShells(all: readonly EmbeddedShellOptions[]): Shell[] {
  const services = new Set(["rexec", "sdexec", "attr"]);
  const certificates = new Map<number, CurveCertificate | string>();
  return all.map((options) => {
    const { mechanisms = MECHANISMS, certificate, maxTtl = DEFAULT_MAX_TTL, mungeSocket } = options;
    const userid = checkUserid(options.userid);
    const { service = `${userid}-shell-${DEFAULT_JOB}` } = options;
    if (!/^[^.\s]+$/.test(service)) throw new TypeError(`service "${service}" is no name of a service`);
    if (services.has(service)) throw new TypeError(`service "${service}" is taken`);
    services.add(service);
    if (!Number.isInteger(maxTtl)) throw new TypeError(`maxTtl must be an integer, not ${String(maxTtl)}`);
    if (maxTtl <= 0) throw new RangeError(`maxTtl must be greater than 0, not ${maxTtl}`);
    const unknown = mechanisms.find((mechanism) => !MECHANISMS.includes(mechanism));
    if (unknown !== undefined) throw new TypeError(`mechanism "${unknown}" is not known`);
    if (certificate !== undefined) certificates.set(userid, certificate);
    return {
      userid,
      service,
      verify: createVerifier({ userid, mechanisms, certificates, maxTtl, mungeSocket }),
    };
  });
}
