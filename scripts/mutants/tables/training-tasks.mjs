/** @file Mutants of tasks that train networks, and of plans that ask for them. */
const STUDIES_TEST = "test/node/studies/training.long.test.ts";
const ENGINES_TEST = "test/node/engines/training.slow.test.ts";

export const TRAINING_TASKS = [
  {
    name: "training-tasks/unasked",
    find: "if (!this.file.train) return undefined;",
    replace: "",
    test: STUDIES_TEST,
    killedBy: "trains nothing unasked",
  },
  {
    name: "training-tasks/backbone-input",
    find: "return makeTask(trainKind, parameters, this.#inputs(init === null ? [] : [init]));",
    replace: "return makeTask(trainKind, parameters, {});",
    test: STUDIES_TEST,
    killedBy: "are inputs of all tasks that run their networks, and of trainings that begin with them",
  },
  {
    name: "training-tasks/digest-parts",
    find: "[...part.labels], await fingerprints(part)",
    replace: "[...part.labels]",
    test: STUDIES_TEST,
    killedBy: "with another recipe or other records has other tasks",
  },
  {
    name: "training-tasks/input",
    find: "trained.length === 0 ? {} : { networks: [...new Set(trained)] }",
    replace: "{}",
    test: STUDIES_TEST,
    killedBy: "are inputs of all tasks that run their networks, and of trainings that begin with them",
  },
  {
    name: "training-tasks/next-run",
    find: "init = weightsOfModel(source,",
    replace: "weightsOfModel(source,",
    test: STUDIES_TEST,
    killedBy: "train the second run from the weights of the first",
  },
  {
    name: "training-tasks/apart",
    find: "if (!TEST_RECORDS.test(parts.spec)) await",
    replace: "if (specs.test !== null) await",
    test: STUDIES_TEST,
    killedBy: "refuses to attack images that it trains on",
  },
  {
    name: "training-tasks/checkpoints",
    find: "await TrainingRun.open(plan, { folder, resume: true })",
    replace: "await TrainingRun.open(plan, { folder: folder + process.pid, resume: true })",
    test: ENGINES_TEST,
    slow: true,
    killedBy: "does not train epochs again that a checkpoint has",
  },
  {
    name: "training-tasks/one-at-a-time",
    find: 'if (coresOf(task) === "own" && this.#own > 0) return false;',
    replace: "",
    test: ENGINES_TEST,
    slow: true,
    killedBy: "one training runs at a time",
  },
];
