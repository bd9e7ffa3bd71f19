/** `npm run runtimes`: installs the runtimes of package.json beside it, unless they are there. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const lock = createHash("sha256")
  .update(readFileSync(here("package-lock.json")))
  .digest("hex");
const mark = here("node_modules/.installed");

if (!existsSync(mark) || readFileSync(mark, "utf8") !== lock) {
  // Each binary is a package of its own, so no install script needs to run.
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", ["ci", ...flags], { cwd: here("."), stdio: "inherit" });
  // Binaries are optional dependencies, since each is for one platform. So npm does not report a failed download.
  const { optionalDependencies } = JSON.parse(readFileSync(here("package.json"), "utf8"));
  const ours = Object.keys(optionalDependencies).filter((name) =>
    name.endsWith(`-${process.platform}-${process.arch}`),
  );
  const missing = ours.filter((name) => !existsSync(here(`node_modules/${name}`)));
  if (status !== 0 || missing.length > 0) {
    console.error(`the runtimes could not be installed: ${missing.join(" ") || "npm ci has failed"}`);
    process.exit(1);
  }
  writeFileSync(mark, lock);
}
