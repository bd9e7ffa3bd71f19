/** How a proxy signs for the user that it runs as. */
import { type CurveSignerOptions, curveSigner } from "../../src/signing/curve.js";
import { noneSigner } from "../../src/signing/none.js";
import type { Signer } from "../../src/signing/signer.js";
import { mungeSigner } from "./munge.js";
import type { MungeOptions } from "./munged.js";

export type SignerOptions =
  | { mechanism: "none" }
  | ({ mechanism: "munge" } & MungeOptions)
  | ({ mechanism: "curve" } & Omit<CurveSignerOptions, "userid">);

/**
 * A signer for the user that this process runs as: the only one who may sign here with "none" and "munge".
 * @throws TypeError if an option cannot be used, or the platform has no user ids
 */
export async function createSigner(options: SignerOptions): Promise<Signer> {
  if (process.getuid === undefined) throw new TypeError("this platform has no user ids to sign for");
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
