import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { LongestFirst } from "./test/support/sequencer.js";

const isFast = (mode: string): boolean => mode === "fast" || Boolean(process.env.DYNN_FAST);

const SLOW = "test/**/*.slow.test.ts";

/** Files of fast tests share their modules: half the time goes into loading them anew for every file. */
const FAST_TESTS: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: "fast", include: ["test/**/*.test.ts"], exclude: [SLOW], isolate: false },
};

const SLOW_TESTS: TestProjectInlineConfiguration = { extends: true, test: { name: "slow", include: [SLOW] } };

/** The full suite; `npm run check` runs the fast part of it (no files named *.slow.test.ts), by `--mode fast` or DYNN_FAST. A mode works in
 *  every shell, a variable in front of a command does not work on Windows. */
export default defineConfig(({ mode }) => ({
  test: {
    projects: isFast(mode) ? [FAST_TESTS] : [FAST_TESTS, SLOW_TESTS],
    reporters: ["default", "./test/support/summary-reporter.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Some tests load onnxruntime-node themselves. Those of its telemetry give their processes an environment of their own.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    pool: "forks",
    execArgv: ["--import", new URL("./test/support/typescript-workers.mjs", import.meta.url).href],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
}));
