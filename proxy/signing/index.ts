/** Signs for the user that the proxy runs as. */
import { type CurveSignerOptions, curveSigner } from "../../src/signing/curve.js";
import { noneSigner } from "../../src/signing/none.js";
import type { Signer } from "../../src/signing/signer.js";
import { mungeSigner } from "./munge.js";
import type { MungeOptions } from "./munged.js";

/** A mechanism of RFC 39, or flux-security's "curve", with its options. */
export type SignerOptions =
  | { mechanism: "none" }
  | ({ mechanism: "munge" } & MungeOptions)
  | ({ mechanism: "curve" } & Omit<CurveSignerOptions, "userid">);

/**
 * A signer for the user that this process runs as. With "none" and "munge", no other user can sign in this process.
 * @throws TypeError if an option is wrong, or the platform has no userids
 */
export async function createSigner(options: SignerOptions): Promise<Signer> {
  if (process.getuid === undefined) throw new TypeError("this platform has no userids to sign for");
  const userid = process.getuid();
  switch (options.mechanism) {
    case "none":
      return noneSigner(userid);
    case "munge":
      return mungeSigner({ ...options, userid });
    case "curve":
      return curveSigner({ ...options, userid });
  }
}
