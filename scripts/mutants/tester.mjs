/** @file A process that runs tests of a copy as it is told, and keeps what it has compiled in
 *  between. Started by copy.mjs in the folder of the copy. It gets messages {changed, files,
 *  pattern} and answers {tests, failed, errors}. */
import { resolve } from "node:path";
import { createVitest } from "vitest/node";

const options = { root: process.cwd(), watch: false, cache: false, reporters: [{}] };
const vitest = await createVitest("test", options);
await vitest.standalone();

/** Errors of code that does not even run: a mutant that causes one says nothing about the test. */
const BROKEN = new Set(["ReferenceError", "SyntaxError"]);

/** Every test of a module by its full name, with its state, and whether its failure is one of
 *  {@link BROKEN}. */
const testsOf = (module) =>
  [...module.children.allTests()].map((test) => {
    const { state, errors = [] } = test.result();
    const name = test.fullName.replaceAll(" > ", " ");
    return { name, state, broken: errors.filter((error) => BROKEN.has(error.name)) };
  });

async function run({ changed, files, pattern }) {
  for (const file of changed) vitest.invalidateFile(resolve(file));
  if (pattern === undefined) vitest.resetGlobalTestNamePattern();
  else vitest.setGlobalTestNamePattern(pattern);
  const specifications = await vitest.globTestSpecifications(files);
  const { testModules: known, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  // vitest also gives the modules of earlier runs, with what they came to then.
  const asked = new Set(specifications.map(({ moduleId }) => moduleId));
  const testModules = known.filter(({ moduleId }) => asked.has(moduleId));
  const ran = testModules.flatMap(testsOf).filter(({ state }) => state === "passed" || state === "failed");
  const errors = [
    ...testModules.flatMap((module) => module.errors()),
    ...ran.flatMap(({ broken }) => broken),
    ...unhandledErrors,
  ];
  return {
    tests: ran.map(({ name }) => name),
    failed: ran.filter(({ state }) => state === "failed").map(({ name }) => name),
    errors: errors.map((error) => String(error?.message ?? error)),
  };
}

process.on("message", (job) => {
  run(job).then(
    (result) => process.send(result),
    (error) => process.send({ tests: [], failed: [], errors: [String(error)] }),
  );
});
process.send("ready");
