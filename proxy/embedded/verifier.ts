/** What flux-security's flux_sign_unwrap does for a job shell. */
import { readFile } from "node:fs/promises";
import { FluxError } from "../../src/errors.js";
import type { CurveCertificate } from "../../src/signing/curve-certificate.js";
import { parseCertificateFile } from "../../src/signing/curve-files.js";
import { curveVerify } from "../../src/signing/curve-verify.js";
import { noneVerify } from "../../src/signing/none.js";
import { type ParsedSignature, parseSignature, SignatureError } from "../../src/signing/signature.js";
import type { Mechanism } from "../signing/index.js";
import { mungeVerify } from "../signing/munge.js";

export interface VerifierOptions {
  /** The user that the verifier runs as. */
  userid: number;
  mechanisms: readonly Mechanism[];
  /** What stands for the users' home directories: parsed, or the path of a `sig.pub`. */
  certificates: ReadonlyMap<number, CurveCertificate | string>;
  /** In seconds. */
  maxTtl: number;
  mungeSocket: string | undefined;
}

/** Takes a signature apart that is good; whose it is remains to be judged. */
export type Verifier = (signature: string) => Promise<ParsedSignature>;

/** A verifier that throws FluxError EPERM, without saying why, as the server does; `cause` knows. */
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

/** Every mechanism, with its check. */
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
