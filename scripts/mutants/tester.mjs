/** @file A process that runs tests of a copy as it is told, and keeps what it has compiled in
 *  between. Started by copy.mjs in the folder of the copy. It gets messages {changed, files,
 *  pattern} and answers {tests, failed, errors}. */
import { resolve } from "node:path";
import { createVitest } from "vitest/node";

const options = { root: process.cwd(), watch: false, cache: false, reporters: [{}] };
const vitest = await createVitest("test", options);
await vitest.standalone();

/** Every test of a module by its full name, with its state. */
const testsOf = (module) =>
  [...module.children.allTests()].map((test) => ({ name: test.fullName, state: test.result().state }));

async function run({ changed, files, pattern }) {
  for (const file of changed) vitest.invalidateFile(resolve(file));
  if (pattern === undefined) vitest.resetGlobalTestNamePattern();
  else vitest.setGlobalTestNamePattern(pattern);
  const specifications = await vitest.globTestSpecifications(files);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const ran = testModules.flatMap(testsOf).filter(({ state }) => state === "passed" || state === "failed");
  const errors = [...testModules.flatMap((module) => module.errors()), ...unhandledErrors];
  return {
    tests: ran.map(({ name }) => name.replaceAll(" > ", " ")),
    failed: ran.filter(({ state }) => state === "failed").map(({ name }) => name.replaceAll(" > ", " ")),
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
