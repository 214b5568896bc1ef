import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { LongestFirst } from "./test/support/sequencer.js";

/** Tests with processes, measurements or browsers of their own. */
const SLOW = "test/**/*.slow.test.ts";
/** Tests like the fast ones that take seconds: they would keep `npm run check` above a minute. */
const LONG = "test/**/*.long.test.ts";

/** Files of fast and long tests share their modules: half the time goes into loading them anew for every file. */
const FAST_TESTS: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: "fast", include: ["test/**/*.test.ts"], exclude: [SLOW, LONG], isolate: false },
};

const LONG_TESTS: TestProjectInlineConfiguration = {
  extends: true,
  test: { name: "long", include: [LONG], isolate: false },
};

const SLOW_TESTS: TestProjectInlineConfiguration = { extends: true, test: { name: "slow", include: [SLOW] } };

/** What `--mode` or DYNN_TESTS names: the fast part, the fast and the long part, or else the full suite. A mode works in every shell, a
 *  variable in front of a command does not work on Windows. */
function projectsOf(part: string): TestProjectInlineConfiguration[] {
  if (part === "fast") return [FAST_TESTS];
  return part === "long" ? [FAST_TESTS, LONG_TESTS] : [FAST_TESTS, LONG_TESTS, SLOW_TESTS];
}

export default defineConfig(({ mode }) => ({
  test: {
    projects: projectsOf(process.env.DYNN_TESTS ?? mode),
    reporters: ["default", "./test/support/summary-reporter.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Some tests load onnxruntime-node themselves. Those of its telemetry give their processes an environment of their own.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    pool: "forks",
    execArgv: ["--import", new URL("./test/support/typescript-workers.mjs", import.meta.url).href],
    // A third of the time of slow tests is waiting for other processes, so a third worker has cores to work on.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
}));
