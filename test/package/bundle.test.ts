/** The parts of the client in a browser's bundle. */
import { describe, expect, it } from "vitest";
import { built, bundle } from "../support/bundle.js";

/** Free identifiers that only Node has, and their replacements in a bundle that defines them. */
const NODE = {
  process: "NODE_PROCESS",
  "globalThis.process": "NODE_PROCESS",
  Buffer: "NODE_BUFFER",
  "globalThis.Buffer": "NODE_BUFFER",
  require: "NODE_REQUIRE",
  __dirname: "NODE_DIRNAME",
};

describe("a bundle of the whole API", () => {
  it("has neither Node's modules nor their stand-ins, no Buffer and no process", async () => {
    const { text, modules } = await bundle("*", undefined, { define: NODE });
    expect(modules).toContain("src/session/session.ts");
    expect(
      modules.filter((module) => /node:|node_modules\/(ws|buffer|process|events|util)\//.test(module)),
    ).toEqual([]);
    expect(text.match(/NODE_[A-Z]+/g)).toBeNull();
  });

  it("would show those it had", async () => {
    const contents =
      "console.log(process, globalThis.process, Buffer, globalThis.Buffer, require, __dirname);";
    const { text } = await bundle("*", `data:text/javascript,${encodeURIComponent(contents)}`, {
      define: NODE,
    });
    expect(new Set(text.match(/NODE_[A-Z]+/g))).toEqual(new Set(Object.values(NODE)));
  });
});

describe("a bundle of kill alone", () => {
  it("has nothing of exec, of a session or of a signature", async () => {
    const { modules } = await bundle("{ kill }");
    const ours = modules.filter((module) => module.startsWith("src/")).sort();
    expect(ours).toEqual([
      "src/errors.ts",
      "src/protocol/checks.ts",
      "src/protocol/hosts.ts",
      "src/protocol/idset.ts",
      "src/protocol/options.ts",
      "src/protocol/signals.ts",
      "src/rank-error.ts",
      "src/ranks-request.ts",
      "src/ranks-rpc.ts",
      "src/request.ts",
      "src/rpc.ts",
      "src/session/abort.ts",
      "src/session/latest.ts",
      "src/subprocess/kill.ts",
      "src/subprocess/process-ref.ts",
      "src/subprocess/service.ts",
      "src/subprocess/target.ts",
    ]);
  });

  it("has none of it of the package either", async () => {
    const { text } = await built((index) => bundle("{ kill }", index));
    expect(text).toContain("SIGKILL");
    for (const word of ["LINE_BUFFER", "stdin", "hello", "signature", "Ed25519"])
      expect(text).not.toContain(word);
  });
});

describe("a bundle of connect and exec", () => {
  it("has nothing of signatures, of proofs, of the names of signals, or of RxJS beyond its Observable", async () => {
    const { modules } = await bundle("{ connect, exec }");
    expect(modules.filter((module) => /signing|signed|jose|signals|proof/.test(module))).toEqual([]);
    const operators = modules.filter((module) =>
      /rxjs.*\/(operators|scheduled|observable)\/|Subject|Async/.test(module),
    );
    expect(operators).toEqual([]);
  });

  it("has none of it of the package either", async () => {
    const { text } = await built((index) => bundle("{ connect, exec }", index));
    expect(text).toContain("LINE_BUFFER");
    for (const word of ["Ed25519", "curve", "signature", "SIGKILL"]) expect(text).not.toContain(word);
  });
});
