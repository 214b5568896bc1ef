/** @file The routed results of a study in long form: what every target answers for every attacked
 *  image, in a fixed order. */
import { present } from "../../core/present.js";
import { costShareOf, type Units } from "../../dynamic/model/units.js";
import type { Policy } from "../../schema/policy.js";
import type { OutcomeRow, RoutedRow } from "../../schema/study/tables.js";
import type { TaskStore } from "../tasks/store.js";
import type { TaskKey } from "../tasks/task.js";
import type { StudyTasks } from "./builder.js";
import { type Answers, routedAnswers, StudyResults } from "./results.js";
import { imagesOf, subjectsOf, type TaskTopic } from "./subjects.js";

/** The rows of one surrogate, attack and target. */
export interface RoutedSet {
  readonly topic: TaskTopic;
  /** Reads the rows.
   * @throws DynnError 'store/damaged', 'store/unreachable' */
  readonly rows: () => Promise<RoutedRow[]>;
}

/** The sets of a study, sorted by data, surrogate, exits, attack, target and records.
 * @param done the tasks that are done
 * @returns `left`: the number of sets whose tasks are not done */
export function routedSets(
  tasks: StudyTasks,
  store: TaskStore,
  done: ReadonlySet<TaskKey>,
): { readonly sets: readonly RoutedSet[]; readonly left: number } {
  const judged = subjectsOf(tasks).filter(({ task }) => task.kind === "answers" && imagesOf(task).length > 0);
  const sets = judged.filter((topic) => neededBy(topic, tasks).every((key) => done.has(key)));
  return {
    sets: sets.sort(inOrder).map((topic) => ({ topic, rows: () => rowsOf(topic, tasks, store) })),
    left: judged.length - sets.length,
  };
}

const neededBy = ({ key, network, task }: TaskTopic, tasks: StudyTasks): TaskKey[] =>
  [key, tasks.clean(network, "reported"), imagesOf(task)[0], tasks.policy({ network })].flatMap((each) => each ?? []);

const ORDER = ["data", "surrogate", "exits", "attack", "network", "records"] as const;

function inOrder(a: TaskTopic, b: TaskTopic): number {
  const field = ORDER.find((name) => a[name] !== b[name]);
  return field === undefined ? 0 : a[field] < b[field] ? -1 : 1;
}

async function rowsOf(topic: TaskTopic, tasks: StudyTasks, store: TaskStore): Promise<RoutedRow[]> {
  const { network, key, task } = topic;
  // Results stay in memory as long as their reader, so each set has its own.
  const results = new StudyResults(store);
  const policy = await results.policy(tasks.policy({ network }));
  const units = tasks.units(network);
  const read = (answers: Answers) => readings(answers, policy, units);
  // Records of checks are the first of the reported ones.
  const clean = new Map(
    read(await results.answers(tasks.clean(network, "reported"))).map((each) => [each.sample, each]),
  );
  const outcomes = new Map((await results.outcomes(imagesOf(task)[0])).map((row) => [row.sample, row]));
  return read(await results.answers(key)).map((attacked) => {
    const { sample } = attacked;
    return {
      ...{ data: topic.data, surrogate: topic.surrogate, exits: topic.exits, attack: topic.attack },
      ...{ target: network, records: topic.records, ...attacked },
      cleanAnswer: present(clean.get(sample), "the clean answer").answer,
      cleanCostFraction: present(clean.get(sample), "the clean answer").costFraction,
      ...spentOn(present(outcomes.get(sample), "the outcome of the attack")),
    };
  });
}

/** What a network answers for each image under its policy. */
function readings(answers: Answers, policy: Policy, units: Units) {
  return routedAnswers(answers, policy).map((path, i) => ({
    ...{ sample: answers.samples[i], label: answers.labels[i], answer: path.label, exit: path.stop },
    ...{ confidence: path.confidence, costFraction: costShareOf(units, path) },
    finalAnswer: present(answers.answers[i].at(-1), "the final exit"),
  }));
}

const spentOn = ({ eligible, success, l0, l1, l2, linf, queries, gradients, ...rest }: OutcomeRow) => ({
  ...{ eligible, success, l0, l1, l2, linf, queries, gradients },
  ...{ forwardMacs: rest.forwardMacs, backwardMacs: rest.backwardMacs },
});
