/** The components of docs/frameworks.md compile, and show real processes in a real browser. */
import { readFileSync } from "node:fs";
import { build, type Plugin } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { compile as compileSvelte } from "svelte/compiler";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { list, rexecBg } from "../../src/index.js";
import { launchBrowser } from "../support/browser.js";
import { untilGone } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";

const ROOT = new URL("../../", import.meta.url).pathname;
const LABEL = "from-the-component";
const TICK = "n=0; while :; do n=$((n + 1)); echo tick $n; sleep 0.05; done";

/** How each framework's block is named, and how its component gets into a page. */
const frameworks = [
  {
    name: "React",
    file: "Run.tsx",
    mount: `import { createRoot } from "react-dom/client"; import { createElement } from "react"; import { Run } from "./Run.tsx";
      export const mount = (target, props) => {
        const root = createRoot(target);
        root.render(createElement(Run, props));
        return () => root.unmount();
      };`,
  },
  {
    name: "Svelte",
    file: "Run.svelte",
    mount: `import * as svelte from "svelte"; import Run from "./Run.svelte";
      export const mount = (target, props) => {
        const component = svelte.mount(Run, { target, props });
        return () => svelte.unmount(component);
      };`,
  },
  {
    name: "Vue",
    file: "Run.ts",
    mount: `import { createApp } from "vue"; import { Run } from "./Run.ts";
      export const mount = (target, props) => {
        const app = createApp(Run, props);
        app.mount(target);
        return () => app.unmount();
      };`,
  },
] as const;

/** The first block of code under the heading of a framework. */
function block(name: string): string {
  const section = readFileSync(`${ROOT}docs/frameworks.md`, "utf8").split(`## ${name}\n`)[1] as string;
  return /```\w+\n([\s\S]*?)```/.exec(section)?.[1] as string;
}

/** The browser's script: `connect` of the sources, and `mount`. */
async function bundle({ name, file, mount }: (typeof frameworks)[number]): Promise<string> {
  const document: Plugin = {
    name: "document",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\/Run\./ }, ({ path }) => ({ path, namespace: "document" }));
      onLoad({ filter: /./, namespace: "document" }, () => {
        if (name !== "Svelte")
          return { contents: block(name), loader: name === "React" ? "tsx" : "ts", resolveDir: ROOT };
        const { js, warnings } = compileSvelte(block(name), { filename: file, generate: "client" });
        expect(warnings.map(({ message }) => message)).toEqual([]);
        return { contents: js.code, resolveDir: ROOT };
      });
    },
  };
  const { outputFiles } = await build({
    stdin: { contents: `export { connect } from "flux-subprocess";\n${mount}`, resolveDir: ROOT },
    bundle: true,
    format: "iife",
    globalName: "app",
    platform: "browser",
    jsx: "automatic",
    alias: { "flux-subprocess": `${ROOT}src/index.ts` },
    define: {
      "process.env.NODE_ENV": '"production"',
      __VUE_OPTIONS_API__: "false",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
    plugins: [document],
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.text as string;
}

/** The compiler's complaints about blocks, by their files. */
function complaints(blocks: Readonly<Record<string, string>>): string[] {
  const { compilerOptions } = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile).config;
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...compilerOptions, jsx: "react-jsx", types: [] },
    ROOT,
  );
  const codes = new Map(
    Object.entries(blocks).map(([file, code]) => [`${ROOT}test/docs/compiled-${file}`, code]),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => codes.has(path) || fileExists.call(host, path);
  host.getSourceFile = (path, target, ...rest) => {
    const code = codes.get(path);
    return code === undefined
      ? getSourceFile.call(host, path, target, ...rest)
      : ts.createSourceFile(path, code, target);
  };
  const program = ts.createProgram([...codes.keys()], options, host);
  return [...codes.keys()].flatMap((path) => {
    const source = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"),
    );
  });
}

interface Globals {
  app: {
    connect: typeof import("../../src/index.js").connect;
    mount(target: Element, props: object): () => void;
  };
  unmount(): void;
}

it("the components for React and Vue compile, and would not with a wrong name", { timeout: 120_000 }, () => {
  const [react, vue] = [block("React"), block("Vue")];
  const wrong = { "wrong.tsx": react.replace("watch(flux)", "watches(flux)") };
  expect(complaints({ "react.tsx": react, "vue.ts": vue, ...wrong })).toEqual([
    expect.stringMatching(/Cannot find name 'watches'/),
  ]);
});

describe.each(frameworks)("the component for $name", (framework) => {
  let stack: Stack;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  const sent: string[] = [];

  beforeAll(async () => {
    stack = await startStack({ size: 2 });
    browser = await launchBrowser();
    page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(String(error.stack)));
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
    await page.setContent("<main></main>");
    await page.addScriptTag({ content: await bundle(framework) });
    await page.evaluate(
      ([url, token, tick]) => {
        const globals = globalThis as unknown as Globals;
        const flux = globals.app.connect(url, { token });
        const props = { flux, command: ["sh", "-c", tick] };
        globals.unmount = globals.app.mount(document.querySelector("main") as Element, props);
      },
      [stack.url, stack.token, TICK] as const,
    );
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await stack?.close();
  });

  it("shows the state, the output as it comes, and the table after each change", async () => {
    const text = (selector: string) => page.locator(selector).textContent();
    await expect.poll(() => text("p")).toBe("open");
    await expect.poll(() => text("pre")).toMatch(/tick \d+\ntick \d+\n/);
    await expect.poll(() => page.locator("li").count()).toBe(1);
    const { pid } = await rexecBg(stack.connect(), ["sleep", "60"], { label: LABEL, nodeid: 1 });
    await expect.poll(() => page.locator("li").allTextContents()).toContain(`1 ${pid} ${LABEL} sleep`);
    expect(errors).toEqual([]);
  });

  it("ends its process and its watch when it goes", async () => {
    const flux = stack.connect();
    const [own, ...others] = await list(flux, { nodeid: 0 }).getProcesses();
    expect(others).toEqual([]);
    expect(sent.filter((message) => message.includes('"detach"'))).toEqual([]);
    await page.evaluate(() => (globalThis as unknown as Globals).unmount());
    await untilGone(flux, own?.pid as number);
    await expect.poll(() => sent.filter((message) => message.includes('"detach"')).length).toBe(1);
    expect(await page.locator("main").textContent()).toBe("");
    expect(errors).toEqual([]);
  });
});
