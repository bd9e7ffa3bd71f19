/** One table of options: the docstrings, the page and the flags agree with it. */
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import ts from "typescript";
import { is } from "valibot";
import { describe, expect, test } from "vitest";
import { addProxyFlags } from "../../../proxy/cli/proxy-flags.js";
import { OPTION_ROWS, OPTIONS } from "../../../proxy/options/table.js";
import { MECHANISMS } from "../../../proxy/signing/index.js";
import { optionsPage } from "./options-page.js";

const help = () => {
  const command = addProxyFlags(new Command("proxy")).configureHelp({ helpWidth: 1000 });
  return command.helpInformation().replace(/ {2,}/g, " ");
};

test("docs/options.md is made from the table", async () => {
  await expect(optionsPage()).toMatchFileSnapshot("../../../docs/options.md");
});

test("each default is a value that its option accepts", () => {
  const defaults = OPTION_ROWS.filter(([, option]) => option.default !== undefined);
  expect(defaults.length).toBeGreaterThan(10);
  for (const [name, option] of defaults) {
    expect([name, is(option.kind.schema, option.default)]).toEqual([name, true]);
  }
});

test("the value of a flag reads as it is written", () => {
  for (const [name, { kind, default: value }] of OPTION_ROWS) {
    if (typeof value !== "number" && typeof value !== "string") continue;
    const written = kind.flagValue?.write(value);
    if (written !== undefined) expect([name, kind.flagValue?.read(written)]).toEqual([name, value]);
    else expect(typeof value).toBe("string");
  }
});

describe("the command line", () => {
  test.each(OPTION_ROWS.filter(([, { flag }]) => flag !== undefined))("has %s in its help", (_, option) => {
    expect(help()).toContain(option.flag);
    expect(help()).toContain(option.text);
  });

  test.each([
    [["--sessions", "0"], "It is an integer of 1 or more."],
    [["--attaches", "many"], "It is an integer of 1 or more."],
    [["--grace", "604801"], "It is an integer of seconds, 0 to 604800."],
    [["--max-grace", "1.5"], "It is an integer of seconds, 0 to 604800."],
    [["--long-sessions", "-1"], "It is an integer of 0 or more."],
    [["--sign", "rsa"], `Allowed choices are ${MECHANISMS.join(", ")}.`],
    [["--issuer", ""], "It is a string of 1 character or more."],
  ])("refuses %j", (args, message) => {
    const command = addProxyFlags(new Command("proxy"))
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    expect(() => command.parse([...args], { from: "user" })).toThrow(message);
  });

  test("shows a default in the unit of its flag", () => {
    expect(help()).toContain(`${OPTIONS.graceMs.text} (default: 120)`);
  });
});

describe("a docstring begins with the text of the table, and has its default:", async () => {
  const docs = await docstrings("proxy/options/proxy-options.ts");

  test.each([...docs.keys()])("%s", (name) => {
    const { text, tag } = docs.get(name) ?? { text: "", tag: undefined };
    const option = OPTION_ROWS.find(([row]) => row === name)?.[1];
    const [initial = "", ...rest] = option?.text ?? "no such option";
    expect(text.replaceAll("`", "")).toMatch(start(initial.toUpperCase() + rest.join("")));
    expect(tag).toBe(
      option?.absent ?? (option?.default === undefined ? undefined : JSON.stringify(option.default)),
    );
  });

  test("all of them", () => {
    expect(docs.size).toBeGreaterThan(15);
  });
});

function start(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^$()[\]|\\]/g, "\\$&")}[.,:;]`);
}

/** The comment and the `@default` of each property in an interface's file. */
async function docstrings(path: string): Promise<Map<string, { text: string; tag: string | undefined }>> {
  const found = new Map<string, { text: string; tag: string | undefined }>();
  const source = ts.createSourceFile(path, await readFile(path, "utf8"), ts.ScriptTarget.ES2022, true);
  const visit = (node: ts.Node): void => {
    if (ts.isPropertySignature(node)) {
      const text = ts
        .getJSDocCommentsAndTags(node)
        .map((doc) => ts.getTextOfJSDocComment(doc.comment))
        .join();
      const tag = ts.getJSDocTags(node).find(({ tagName }) => tagName.text === "default");
      found.set(node.name.getText(), {
        text: text.replace(/\s+/g, " "),
        tag: ts.getTextOfJSDocComment(tag?.comment),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
