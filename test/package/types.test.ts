/** The declarations of dist: names of the client's own parts are left out, and the compiler refuses their use. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

/** The compiler's complaints about `program`, which imports `flux-subprocess` from `declarations`. */
function complaints(program: string, declarations: string): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"],
    types: [],
    strict: true,
    noEmit: true,
    paths: {
      "flux-subprocess": [path(declarations)],
      "isomorphic-ws": [path("src/transport/isomorphic-ws.d.ts")],
    },
  };
  const file = path("test/package/program.ts");
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (name) => name === file || fileExists.call(host, name);
  host.getSourceFile = (name, target, ...rest) =>
    name === file
      ? ts.createSourceFile(name, program, target)
      : getSourceFile.call(host, name, target, ...rest);
  const compiled = ts.createProgram([file], options, host);
  return compiled
    .getSemanticDiagnostics(compiled.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n").split("\n")[0] as string);
}

const IMPORTS = `import { type ClientSigner, clientSigner, connect, Flux, noneSigner, type Signer } from "flux-subprocess";
declare const flux: Flux;
declare const signer: Signer;
const options = { token: "t" };
`;

describe.each(["dist/index.d.ts", "dist/index.d.cts"])("the types of %s", (declarations) => {
  it("have no session, no calls, and nothing that was marked as internal", () => {
    const text = readFileSync(path(declarations), "utf8");
    expect(text).toContain("declare class Flux");
    expect(text).not.toMatch(
      /@internal|readonly session: Session|\bcalls\(|declare class Session|CallSigner/,
    );
  });

  it.each([
    ["the session of a handle", "flux.session;", /Property 'session' does not exist on type 'Flux'/],
    [
      "the calls of a signer",
      "noneSigner(1).calls;",
      /Property 'calls' does not exist on type 'ClientSigner'/,
    ],
    ["a handle without connect", "new Flux();", /Expected 1 arguments/],
    ["a handle of anything", "new Flux({});", /not assignable to parameter of type 'never'/],
    [
      "any signer",
      "connect('ws://a', { ...options, signer });",
      /Property '\[brand\]' is missing in type 'Signer'/,
    ],
    [
      "an object with a function calls",
      "const made: ClientSigner = { ...signer, calls: () => ({}) };",
      /not assignable|does not exist|missing in type/,
    ],
  ])("refuse %s", (_, use, complaint) => {
    expect(complaints(IMPORTS + use, declarations)).toEqual([expect.stringMatching(complaint)]);
  });

  it("take the signers that clientSigner and noneSigner make", () => {
    const use =
      "connect('ws://a', { ...options, signer: clientSigner(signer) }).rpc('a.b');\nconnect('ws://a', { ...options, signer: noneSigner(1) });";
    expect(complaints(IMPORTS + use, declarations)).toEqual([]);
  });
});

it("the sources have the members that the declarations leave out", () => {
  expect(complaints(`${IMPORTS}flux.session; noneSigner(1).calls;`, "src/index.ts")).toEqual([]);
});
