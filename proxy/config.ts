/** Checks the options of a proxy, and fills in their defaults. */
import { is } from "valibot";
import type { VerifierOptions } from "./auth/token.js";
import { parseBrokerUri } from "./broker/uri.js";
import type { ProxyOptions } from "./options/proxy-options.js";
import { OPTION_ROWS } from "./options/table.js";

export type { ProxyOptions };

type Optional = keyof VerifierOptions | "signer";
type Defaulted<T> = { [K in keyof T]-?: NonNullable<T[K]> };

/** Options that were checked, with every default filled in but those of the verifier and the signer. */
export type ProxyConfig = Pick<ProxyOptions, Optional> & Defaulted<Omit<ProxyOptions, Optional>>;

/** Checks the options, as far as the verifier and the signer do not. @throws TypeError that names the option */
export function proxyConfig(options: ProxyOptions): ProxyConfig {
  const config: Record<string, unknown> = { ...options };
  for (const [name, option] of OPTION_ROWS) {
    const value = options[name] === undefined ? option.default : options[name];
    if (value === undefined && option.absent !== undefined) continue;
    if (!is(option.kind.schema, value)) throw new TypeError(`${name} is not ${option.kind.expected}`);
    config[name] = value;
  }
  parseBrokerUri(options.uri);
  return config as unknown as ProxyConfig;
}
