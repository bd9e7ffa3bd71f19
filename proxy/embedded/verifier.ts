/** Verifies signatures for a job shell, like flux-security's flux_sign_unwrap. */
import { readFile } from "node:fs/promises";
import { FluxError } from "../../src/errors.js";
import type { CurveCertificate } from "../../src/signing/curve-certificate.js";
import { parseCertificateFile } from "../../src/signing/curve-files.js";
import { curveVerify } from "../../src/signing/curve-verify.js";
import { noneVerify } from "../../src/signing/none.js";
import { type ParsedSignature, parseSignature, SignatureError } from "../../src/signing/signature.js";
import type { Mechanism } from "../signing/index.js";
import { mungeVerify } from "../signing/munge.js";

/** The options of {@link createVerifier}. */
export interface VerifierOptions {
  /** The user that the verifier runs as. */
  userid: number;
  mechanisms: readonly Mechanism[];
  /** The users' certificates, parsed or as the path of a `sig.pub`, in place of files in home directories. */
  certificates: ReadonlyMap<number, CurveCertificate | string>;
  /** The greatest age of a signature, in seconds. */
  maxTtl: number;
  mungeSocket: string | undefined;
}

/** Verifies and parses a signature. The caller compares its userid with the sender's. */
export type Verifier = (signature: string) => Promise<ParsedSignature>;

/** Creates a verifier that throws FluxError EPERM without a reason, as the server does. `cause` has the reason. */
export function createVerifier(options: VerifierOptions): Verifier {
  return async (text) => {
    try {
      const signature = parseSignature(text);
      await verify(signature, options);
      return signature;
    } catch (cause) {
      throw new FluxError("EPERM", "signature verification failed", { cause });
    }
  };
}

/** The check of each mechanism. */
const CHECKS: Readonly<
  Record<Mechanism, (signature: ParsedSignature, options: VerifierOptions) => void | Promise<void>>
> = {
  none: (signature, { userid }) => noneVerify(signature, userid),
  munge: (signature, { maxTtl, mungeSocket: socket }) =>
    mungeVerify(signature, { userid: signature.userid, maxTtl, socket }),
  curve: async (signature, { maxTtl, certificates }) => {
    const { userid } = signature;
    const certificate = await certificateOf(userid, certificates);
    await curveVerify(signature, { userid, certificate, maxTtl });
  },
};

async function verify(signature: ParsedSignature, options: VerifierOptions): Promise<void> {
  const mechanism = options.mechanisms.find((name) => name === signature.mechanism);
  if (mechanism === undefined) throw new SignatureError("signature mechanism is not taken");
  await CHECKS[mechanism](signature, options);
}

async function certificateOf(
  userid: number,
  certificates: VerifierOptions["certificates"],
): Promise<CurveCertificate> {
  const certificate = certificates.get(userid);
  if (certificate === undefined) throw new SignatureError(`there is no certificate of user ${userid}`);
  if (typeof certificate !== "string") return certificate;
  return parseCertificateFile(await readFile(certificate, "utf8"));
}
