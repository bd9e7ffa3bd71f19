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

/** The name of a mechanism, as in the header of a signature (RFC 39). */
export type Mechanism = SignerOptions["mechanism"];

type MakeSigner<M> = (
  options: Omit<Extract<SignerOptions, { mechanism: M }>, "mechanism">,
  userid: number,
) => Signer | Promise<Signer>;

/** Every mechanism, with its signer. */
const SIGNERS: { readonly [M in Mechanism]: MakeSigner<M> } = {
  none: (_, userid) => noneSigner(userid),
  munge: (options, userid) => mungeSigner({ ...options, userid }),
  curve: (options, userid) => curveSigner({ ...options, userid }),
};

/** The names of all mechanisms. */
export const MECHANISMS = Object.keys(SIGNERS) as readonly Mechanism[];

/**
 * A signer for the user that this process runs as. With "none" and "munge", no other user can sign in this process.
 * @throws TypeError if an option is wrong, or the platform has no userids
 */
export async function createSigner(options: SignerOptions): Promise<Signer> {
  if (process.getuid === undefined) throw new TypeError("this platform has no userids to sign for");
  const { mechanism, ...others } = options;
  const make = SIGNERS[mechanism] as MakeSigner<Mechanism>;
  return await make(others, process.getuid());
}
