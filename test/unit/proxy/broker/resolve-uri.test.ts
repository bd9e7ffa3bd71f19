import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { resolveBrokerUri } from "../../../../proxy/broker/resolve-uri.js";

/** A `flux` program that records its arguments and its FLUX_URI, then does as `script` says. */
async function installFlux(directory: string, script: string): Promise<void> {
  const path = join(directory, "flux");
  await writeFile(path, `#!/bin/sh\nprintf '%s|' "$@" "uri=$FLUX_URI" > "$0.log"\n${script}\n`);
  await chmod(path, 0o755);
}

describe("resolveBrokerUri", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "resolve-uri-"));
    vi.stubEnv("PATH", `${directory}:/usr/bin:/bin`);
    vi.stubEnv("FLUX_URI", undefined);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  const log = () => readFile(`${directory}/flux.log`, "utf8");

  test("a local URI stands as it is, and no program runs", async () => {
    await installFlux(directory, "exit 9");
    expect(await resolveBrokerUri("local:///run/flux/local")).toBe("local:///run/flux/local");
    await expect(log()).rejects.toThrow("ENOENT");
  });

  test.each(["jobid:f6sYx2X9", "ƒ6sYx2X9", "f6sYx2X9", "jobid:1234567", "1234567", "0x12d687"])(
    "%s is resolved by the flux program",
    async (uri) => {
      await installFlux(directory, "echo local:///tmp/job/local-0");
      expect(await resolveBrokerUri(uri)).toBe("local:///tmp/job/local-0");
      expect(await log()).toBe(`uri|--local|jobid:${uri.replace("jobid:", "")}|uri=|`);
    },
  );

  test("the program keeps the FLUX_URI that it needs, and not one that is the job id itself", async () => {
    await installFlux(directory, "echo local:///tmp/job/local-0");
    vi.stubEnv("FLUX_URI", "local:///run/flux/local");
    await resolveBrokerUri("ƒ6sYx2X9");
    expect(await log()).toContain("uri=local:///run/flux/local|");
    vi.stubEnv("FLUX_URI", "ƒ6sYx2X9");
    await resolveBrokerUri("ƒ6sYx2X9");
    expect(await log()).toContain("uri=|");
  });

  test("a failure of the program is in the error", async () => {
    await installFlux(directory, "echo 'flux-uri: ERROR: jobid f6sYx2X9 not found' >&2; exit 1");
    const resolving = resolveBrokerUri("f6sYx2X9");
    await expect(resolving).rejects.toThrow(TypeError);
    await expect(resolving).rejects.toThrow("flux-uri: ERROR: jobid f6sYx2X9 not found");
  });

  test("output of the program that is not a local URI is refused", async () => {
    await installFlux(directory, "echo ssh://host/tmp/job/local-0");
    await expect(resolveBrokerUri("f6sYx2X9")).rejects.toThrow(TypeError);
  });

  test("where the flux program is missing, the error names the command to run", async () => {
    vi.stubEnv("PATH", directory);
    await expect(resolveBrokerUri("f6sYx2X9")).rejects.toThrow('"flux uri --local" prints');
  });

  test("an ssh URI is refused with the command that prints the local one", async () => {
    await installFlux(directory, "echo local:///tmp/job/local-0");
    await expect(resolveBrokerUri("ssh://node7/tmp/flux/local-0")).rejects.toThrow(
      '"flux uri --local ssh://node7/tmp/flux/local-0"',
    );
  });

  test.each(["--help", "jobid:--help", "jobid:f1;id", "f1 f2", "pid:1", "", "/run/flux/local"])(
    "%j is refused by name, and no program runs",
    async (uri) => {
      await installFlux(directory, "echo local:///tmp/job/local-0");
      await expect(resolveBrokerUri(uri)).rejects.toThrow(JSON.stringify(uri));
      await expect(log()).rejects.toThrow("ENOENT");
    },
  );
});
