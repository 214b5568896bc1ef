/** @file Mutants of tasks, and of the plans of commands. */
const IN_PROCESS_TEST = "test/studies/tasks/in-process.test.ts";
const CRAFT_TEST = "test/studies/tasks/craft.test.ts";
const AUDIT_TEST = "test/studies/audit.long.test.ts";
const HEALTH_TEST = "test/studies/health-own.long.test.ts";
const GATED_TEST = "test/studies/gated.long.test.ts";
const CALIBRATION_TEST = "test/studies/calibration.test.ts";

export const TASKS = [
  {
    name: "studies/attacked-where-one-is-right",
    find: "routed.every((answers) => answers[place]?.label === labels[place])",
    replace: "routed.some((answers) => answers[place]?.label === labels[place])",
    test: IN_PROCESS_TEST,
    killedBy: "an attack is on the records that all networks of its input answer rightly, and on no others",
  },
  {
    name: "studies/labels-of-first-records",
    find: "new Map(records.map((record, i) => [record, i]))",
    replace: "new Map(attacked.map((record, i) => [record, i]))",
    test: IN_PROCESS_TEST,
    killedBy: "an attack is on the records that all networks of its input answer rightly, and on no others",
  },
  {
    name: "studies/pixels-read-for-each-task",
    find: "return once(read, data.shape[0], () => pixelsOf(data));",
    replace: "return pixelsOf(data);",
    test: IN_PROCESS_TEST,
    killedBy: "pixels are read once for all tasks and networks, and sessions are given back",
  },
  {
    name: "studies/forward-sessions-stay",
    find: 'for (const each of compiled) if (each.status === "fulfilled") await each.value.release();',
    replace: "",
    test: IN_PROCESS_TEST,
    killedBy: "pixels are read once for all tasks and networks, and sessions are given back",
  },
  {
    name: "studies/dropped-too-early",
    find: "if (!reads.has(read)) this.#drop(read);",
    replace: "this.#drop(read);",
    test: IN_PROCESS_TEST,
    killedBy: "a file that only tasks read is dropped behind the last one that reads it",
  },
  {
    name: "studies/survivors-forgotten",
    find: "(success ? [] : [sample])",
    replace: "[sample]",
    test: CRAFT_TEST,
    killedBy: "an attack after another one is on its survivors alone",
  },
  {
    name: "studies/fallen-samples-stand",
    find: "!goal?.succeeded(sample, cleanOf(sample))",
    replace: "true",
    test: CRAFT_TEST,
    killedBy: "an attack on samples that stand leaves out those whose clean image meets the goal",
  },
  {
    name: "studies/exact-images-rounded",
    find: "given.images ? image : toEightBits(image)",
    replace: "toEightBits(image)",
    test: CRAFT_TEST,
    killedBy: "answers for exact images are those of the search, and those for rounded ones differ",
  },
  {
    name: "studies/rounded-images-exact",
    find: "rounded ? new Images(toEightBits(images.data), images.dims) : images",
    replace: "images",
    test: CRAFT_TEST,
    killedBy: "answers for exact images are those of the search, and those for rounded ones differ",
  },
  {
    name: "studies/kept-attacks-not-asked",
    find: "unfinished: async () => options.store",
    replace: "unfinished: async () => undefined",
    test: AUDIT_TEST,
    killedBy: "that was interrupted goes on from the attacks it had kept, to the same result",
  },
  {
    name: "studies/loss-always-rose",
    find: "lossRose: roses[i] === 1",
    replace: "lossRose: true",
    test: HEALTH_TEST,
    killedBy: "'loss-flat' where 'the loss is constant'",
  },
  {
    name: "studies/answers-never-random",
    find: "exit.some((value, i) => value !== logits.exits[k][i])",
    replace: "exit.some((value, i) => value === logits.exits[k].length + i)",
    test: HEALTH_TEST,
    killedBy: "'random' where 'two runs differ'",
  },
  {
    name: "studies/rounds-forget-the-attacked",
    find: "earlier.push(fresh);",
    replace: "",
    test: CALIBRATION_TEST,
    killedBy:
      "on the accuracy holds against a fresh attack on the validation records, at a higher cost than without it",
  },
  {
    name: "studies/temperature-not-fitted",
    find: "fit ? kept.map((_, k) => fitTemperature(own, k)) : request.temperatures",
    replace: "request.temperatures",
    test: CALIBRATION_TEST,
    killedBy: "fits temperatures that lower the likelihood loss of every exit on the records they were fitted on",
  },
  {
    name: "studies/answers-under-own-gates",
    find: "const model = bench.under(opened.model, await policyOf(inputs));",
    replace: "const { model } = opened;",
    test: GATED_TEST,
    killedBy: "a transfer counts the cost of each network by its paths",
  },
  {
    name: "studies/gates-are-not-kept",
    find: "...(logits.gates.length > 0 ? { [GATES_FILE]: gatesTensor(logits) } : {}),",
    replace: "",
    test: GATED_TEST,
    killedBy: "tasks in a store of files leave the policy and the gates that tasks in one process leave",
  },
  {
    name: "studies/exit-behind-a-gate-forgotten",
    find: "exit: kept.findIndex((one) => one >= exit)",
    replace: "exit: 0",
    test: GATED_TEST,
    killedBy: "tasks in a store of files leave the policy and the gates that tasks in one process leave",
  },
  {
    name: "studies/closed-gates-save-nothing",
    find: "gateCosts: gated?.costs });",
    replace: "gateCosts: undefined });",
    test: GATED_TEST,
    killedBy: "a calibration reports on test records what routing them under its policy gives",
  },
  {
    name: "studies/gates-forget-earlier-attacks",
    find: "{ images: attacked.map(({ crafted }) => crafted) }",
    replace: "{ images: [] }",
    test: GATED_TEST,
    killedBy: "gates keep a bound on the accuracy under an attack, and the attacks of earlier rounds count",
  },
];
