/** The examples of docstrings and of Markdown files, and the names that they take for granted. */
import { readFileSync } from "node:fs";
import ts from "typescript";

/** A piece of code, and the place where it stands. */
export interface Example {
  name: string;
  code: string;
}

const ROOT = new URL("../../", import.meta.url).pathname;

/** The public modules, by the name that a user imports. */
const MODULES = {
  "flux-subprocess": "src/index.ts",
  "flux-subprocess/proxy": "proxy/index.ts",
  "flux-subprocess/embedded": "proxy/embedded/index.ts",
  rxjs: "node_modules/rxjs/dist/types/index.d.ts",
};

/** The constants that examples use without an explanation. */
const GIVEN = `
declare const flux: Flux;
declare const url: string;
declare const token: string;
declare const userid: number;
declare const service: string;
declare const file: Blob & { write(bytes: Uint8Array): Promise<void> };
declare function fetchToken(): Promise<string>;
declare function draw(...all: unknown[]): void;
`;

const options: ts.CompilerOptions = {
  ...ts.convertCompilerOptionsFromJson(
    ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile).config.compilerOptions,
    ROOT,
  ).options,
  paths: Object.fromEntries(
    Object.entries({ ...MODULES, "isomorphic-ws": "src/transport/isomorphic-ws.d.ts" }).map(
      ([name, file]) => [name, [ROOT + file]],
    ),
  ),
};

/** The examples of every export of the three modules, and of the members of exported classes. */
export function docstringExamples(): { examples: Example[]; without: string[] } {
  const files = [
    MODULES["flux-subprocess"],
    MODULES["flux-subprocess/proxy"],
    MODULES["flux-subprocess/embedded"],
  ];
  const program = ts.createProgram(
    files.map((file) => ROOT + file),
    options,
  );
  const checker = program.getTypeChecker();
  const examples = new Map<string, Example>();
  const without = new Set<string>();
  for (const file of files) {
    const module = checker.getSymbolAtLocation(
      program.getSourceFile(ROOT + file) as ts.SourceFile,
    ) as ts.Symbol;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const own = examplesOf(symbol, symbol.name);
      const members = symbol.flags & ts.SymbolFlags.Class ? [...(symbol.members?.values() ?? [])] : [];
      for (const example of [...own, ...members.flatMap((it) => examplesOf(it, `${symbol.name}.${it.name}`))])
        examples.set(example.name, example);
      if (symbol.flags & ts.SymbolFlags.Function && own.length === 0) without.add(symbol.name);
    }
  }
  return { examples: [...examples.values()], without: [...without] };
}

function examplesOf(symbol: ts.Symbol, name: string): Example[] {
  return symbol
    .getJsDocTags()
    .filter((tag) => tag.name === "example")
    .flatMap((tag) => blocks(ts.displayPartsToString(tag.text), ["ts"]))
    .map((code, i) => ({ name: i === 0 ? name : `${name} (${i + 1})`, code }));
}

/** The code of a Markdown file's `js` and `ts` blocks, without its imports. */
export function markdownExamples(file: string): Example[] {
  return blocks(readFileSync(ROOT + file, "utf8"), ["js", "ts"]).map((code, i) => ({
    name: `${file} (${i + 1})`,
    code: code.replaceAll(/^import .*\n/gm, "").replaceAll('"wss://cluster.example/flux"', "url"),
  }));
}

function blocks(markdown: string, languages: readonly string[]): string[] {
  const fence = new RegExp(`^\`\`\`(?:${languages.join("|")})\\n([^]*?)^\`\`\`$`, "gm");
  return [...markdown.matchAll(fence)].map(([, code]) => code as string);
}

/** The lines that an example says it prints: the comments at its calls of console.log, with ", " between them. */
export function promised(code: string): string {
  return [...code.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(([, text]) => text).join(", ");
}

/** The compiler's complaints about the examples, each in a module of its own with the imports that it needs. */
export function compile(examples: readonly Example[]): string[] {
  const host = ts.createCompilerHost(options);
  const names = exportedNames();
  const sources = new Map(
    examples.map((example, i) => [`${ROOT}test/docs/example-${i}.ts`, source(example.code, names)]),
  );
  const readFile = host.readFile.bind(host);
  host.readFile = (file) => sources.get(file) ?? readFile(file);
  host.fileExists = (file) => sources.has(file) || ts.sys.fileExists(file);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (file, target, ...rest) => {
    const text = sources.get(file);
    return text === undefined
      ? getSourceFile(file, target, ...rest)
      : ts.createSourceFile(file, text, target);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((file, i) =>
    [
      ...program.getSyntacticDiagnostics(program.getSourceFile(file)),
      ...program.getSemanticDiagnostics(program.getSourceFile(file)),
    ].map(({ messageText }) => `${examples[i]?.name}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`),
  );
}

function source(code: string, names: ReadonlyMap<string, string>): string {
  const used = new Set(`${code}${GIVEN}`.match(/[A-Za-z_$][\w$]*/g));
  const imports = [...names]
    .filter(([name]) => used.has(name))
    .map(([name, module]) => `import { ${name} } from "${module}";\n`);
  return `${imports.join("")}${GIVEN}{\n${code}}\nexport {};\n`;
}

/** The module of each public name. A name of this package goes before one of RxJS. */
function exportedNames(): Map<string, string> {
  const program = ts.createProgram(
    Object.values(MODULES).map((file) => ROOT + file),
    options,
  );
  const checker = program.getTypeChecker();
  const names = new Map<string, string>();
  for (const [module, file] of Object.entries(MODULES)) {
    const symbol = checker.getSymbolAtLocation(
      program.getSourceFile(ROOT + file) as ts.SourceFile,
    ) as ts.Symbol;
    for (const { name } of checker.getExportsOfModule(symbol)) if (!names.has(name)) names.set(name, module);
  }
  return names;
}

/** JavaScript of an example, as the body of an async function. */
export function toJavaScript(code: string): string {
  return ts.transpileModule(`{\n${code}}`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  }).outputText;
}
