import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Processes, sockets and a browser on two cores: files run side by side, but not more than there are cores.
    maxWorkers: 2,
  },
});
