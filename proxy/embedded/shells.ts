/** The options of embedded job shells, checked. */
import type { CurveCertificate } from "../../src/signing/curve-certificate.js";
import { checkUserid } from "../../src/signing/signature.js";
import { MECHANISMS, type Mechanism } from "../signing/index.js";
import { createVerifier, type Verifier } from "./verifier.js";

/** A job shell of an embedded broker: a user's, with a service that takes that user's signed requests alone. */
export interface EmbeddedShellOptions {
  /** The user whose job it is. */
  userid: number;
  /** The shell's service, in which "rexec" is found. "USERID-shell-f6sYx2X9" by default. */
  service?: string;
  /**
   * The RFC 39 mechanisms that are taken. All by default, as Flux does (flux_sign_unwrap_anymech). Mind that
   * with "none" among them, whoever may set a message's userid can sign as that user.
   */
  mechanisms?: readonly Mechanism[];
  /**
   * The user's certificate for "curve", parsed, or the path of a `sig.pub`, which is read at every request.
   * As users who can read each other's, the shells of a broker share what they know.
   */
  certificate?: CurveCertificate | string;
  /** How old a signature may be, in seconds. 1209600 by default, as in flux-security's configuration. */
  maxTtl?: number;
  /** munged's socket, for "munge". Its own default place by default. */
  mungeSocket?: string;
}

/** A shell that can be hosted. */
export interface Shell {
  userid: number;
  service: string;
  verify: Verifier;
}

const DEFAULT_JOB = "f6sYx2X9";
const DEFAULT_MAX_TTL = 14 * 24 * 60 * 60;

/** @throws TypeError or RangeError if an option is invalid */
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
