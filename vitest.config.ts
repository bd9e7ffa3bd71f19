import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/unpack-chromium.ts",
    // A page or a process may take long on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Something that hundreds of tests wait for in vain would otherwise take hours.
    bail: process.env["CI"] ? 20 : 0,
    // Processes, sockets and a browser on two cores: files run side by side, but not more than there are cores.
    maxWorkers: 2,
  },
});
