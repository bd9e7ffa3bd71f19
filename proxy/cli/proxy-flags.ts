/** The flags of a proxy's options, made from their table. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { is } from "valibot";
import type { ProxyOptions } from "../index.js";
import { OPTION_ROWS, type OptionName, type ProxyOption } from "../options/table.js";
import { MECHANISMS } from "../signing/index.js";
import { listenOption, positiveInteger } from "./parse.js";

/** Flags that are no option of `createProxy`, each after the option that it belongs to. */
const BESIDE: Readonly<Partial<Record<OptionName, Option>>> = {
  uri: new Option("--embedded <N>", "in place of --uri: a broker of N ranks in this process").argParser(
    positiveInteger,
  ),
  signer: new Option("--curve-key <FILE>", "the key of --sign curve: a private JWK, a PEM, or a sig of Flux"),
  audit: new Option("--no-audit", "keep no audit"),
};

/** Flags that the table does not describe wholly. */
const SPECIAL: Readonly<Partial<Record<OptionName, (flag: Option) => Option>>> = {
  host: listenOption,
  signer: (flag) => flag.choices(MECHANISMS),
};

/** Gives a command the flag of every option that has one. */
export function addProxyFlags(command: Command): Command {
  const added = new Set<string>();
  for (const [name, option] of OPTION_ROWS) {
    if (option.flag === undefined || added.has(option.flag)) continue;
    added.add(option.flag);
    const flag = flagOf(option, option.flag);
    command.addOption(SPECIAL[name]?.(flag) ?? flag);
    const beside = BESIDE[name];
    if (beside !== undefined) command.addOption(beside);
  }
  return command;
}

/**
 * The options with the values of their flags. That of a file's flag is still its name.
 * @param values those that commander has read: each mandatory flag has one
 */
export function flagValues(values: Readonly<Record<string, unknown>>): Omit<ProxyOptions, "uri"> {
  const named = OPTION_ROWS.flatMap(([name, { flag }]) =>
    flag === undefined ? [] : [[name, values[new Option(flag).attributeName()]]],
  );
  return Object.fromEntries(named) as Omit<ProxyOptions, "uri">;
}

function flagOf(option: ProxyOption<unknown>, flags: string): Option {
  const flag = new Option(flags, helpOf(option)).makeOptionMandatory(isRequired(option));
  return option.kind.flagValue === undefined ? flag : flag.argParser((text: string) => read(option, text));
}

function isRequired(option: ProxyOption<unknown>): boolean {
  return option.default === undefined && option.absent === undefined && option.flagDefault === undefined;
}

function read({ kind: { schema, flagValue } }: ProxyOption<unknown>, text: string): unknown {
  const value = flagValue?.read(text);
  if (is(schema, value)) return value;
  throw new InvalidArgumentError(`It is ${flagValue?.expected}.`);
}

function helpOf({ kind, text, flagText, flagDefault, default: value }: ProxyOption<unknown>): string {
  const shown = flagDefault ?? (value === undefined ? undefined : kind.flagValue?.write(value));
  const notes = [flagText, shown === undefined ? undefined : `default: ${shown}`];
  return [text, ...notes.filter((note) => note !== undefined).map((note) => `(${note})`)].join(" ");
}
