import { defineConfig } from "vitest/config";

const isFast = (mode: string): boolean => mode === "fast" || Boolean(process.env.DYNN_FAST);

/** The full suite; `npm run check` runs the fast part of it (no files named *.slow.test.ts), by `--mode fast` or DYNN_FAST. A mode works in
 *  every shell, a variable in front of a command does not work on Windows. */
export default defineConfig(({ mode }) => ({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: isFast(mode) ? ["test/**/*.slow.test.ts"] : [],
    reporters: ["default", "./test/support/summary-reporter.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Some tests load onnxruntime-node themselves. Those of its telemetry give their processes an environment of their own.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    pool: "forks",
    execArgv: ["--import", new URL("./test/support/typescript-workers.mjs", import.meta.url).href],
    // Fast tests share their modules: half the time goes into loading them anew for every file. The full suite keeps files apart.
    isolate: !isFast(mode),
    maxWorkers: 2,
  },
}));
