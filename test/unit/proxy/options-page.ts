/** docs/options.md, made from the table of options. */
import { OPTION_ROWS, type ProxyOption } from "../../../proxy/options/table.js";

const HEAD = `# Options of the proxy

An option of \`createProxy\` (\`flux-subprocess/proxy\`) and its flag of \`flux-subprocess proxy\`. An option without a flag is for programs
only. A wrong value is a TypeError that names the option; on the command line it is an error with exit code 2.

This page is made from \`proxy/options/table.ts\`: \`npx vitest run test/unit/proxy/options.test.ts -u\` writes it.

`;

const TAIL = `
Flags that are no option: \`--embedded <N>\` starts a broker of N ranks in the same process, in place of \`--uri\`. \`--curve-key <FILE>\`
names the key of \`--sign curve\`. \`--no-audit\` keeps no audit.
`;

/** The text of the page. */
export function optionsPage(): string {
  const rows = OPTION_ROWS.map(([name, option]) => rowOf(name, option));
  return HEAD + tableOf([["option", "flag", "value", "default", "meaning"], ...rows]) + TAIL;
}

function rowOf(name: string, option: ProxyOption<unknown>): string[] {
  const { kind, flag, text, flagText } = option;
  const value = kind.expected.replace(/^an? /, "");
  const meaning = flagText === undefined ? text : `${text} (flag: ${flagText})`;
  return [`\`${name}\``, flag === undefined ? "" : `\`${flag}\``, value, defaultOf(option), meaning];
}

function defaultOf({ default: value, absent, flagDefault }: ProxyOption<unknown>): string {
  const shown = absent ?? (value === undefined ? "none: it must be given" : `\`${JSON.stringify(value)}\``);
  return flagDefault === undefined ? shown : `${shown} (flag: \`${flagDefault}\`)`;
}

/** Columns as wide as their widest cell. */
function tableOf(rows: readonly string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const [head = []] = cells;
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return cells.map((row, index) => line(row) + (index === 0 ? rule : "")).join("");
}
