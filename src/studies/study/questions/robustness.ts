/** @file Claim C0: a dynamic network is more robust than a static one. The worst case over all
 *  white-box attacks on each. Source: docs/study.md, claim C0; the OpenReview abstract. */
import { mcnemarExact, pairedDifference, wilson } from "../../../measures/statistics/index.js";
import type { RobustnessRow } from "../../../schema/study/record.js";
import type { TaskKey } from "../../tasks/task.js";
import type { StudyTasks } from "../builder.js";
import type { BlockTable } from "../claims/table.js";
import { type Placed, placed } from "../kinship.js";
import { type Answers, routedAnswers, type StudyResults } from "../results.js";
import { asNumbers, noSample, question } from "./question.js";

/** One network of a block under all its white-box attacks. */
interface Side {
  readonly placed: Placed;
  readonly clean: TaskKey;
  readonly policy: TaskKey | undefined;
  readonly judged: readonly TaskKey[];
}

interface Needs {
  readonly pairs: readonly { readonly fixed: Side; readonly dynamic: Side }[];
  readonly lacking: readonly string[];
}

export const robustness = question<Needs>({
  claim: "C0",
  source: "OpenReview abstract of the study",
  unit: "white-box success",
  scale: "share",
  needs: (tasks) => {
    const blocks = tasks.plan.blocks.map((block) => [placed(block, "static"), placed(block, "joint")] as const);
    return {
      pairs: blocks.flatMap(([fixed, dynamic]) =>
        fixed && dynamic ? [{ fixed: sideOf(fixed, tasks), dynamic: sideOf(dynamic, tasks) }] : [],
      ),
      lacking: tasks.plan.blocks.filter((_, i) => !blocks[i].every(Boolean)).map(({ name }) => name),
    };
  },
  analyse: async ({ pairs, lacking }, tasks, results) => {
    const rows: RobustnessRow[] = [];
    const tables: BlockTable[] = [];
    for (const { fixed, dynamic } of pairs) {
      const { row, columns } = await compare(fixed, dynamic, tasks.plan.radius.whiteBox, results);
      rows.push(row);
      const { name, cell } = fixed.placed.block;
      if (row.eligible > 0) tables.push({ id: name, cell, columns });
    }
    return {
      tables,
      part: { robustness: rows },
      notRun: [
        ...lacking.map((block) => ({
          what: `robustness of ${block}`,
          why: "its static or its joint network is missing",
        })),
        ...rows.filter(({ eligible }) => eligible === 0).map(({ block }) => noSample(`robustness of ${block}`)),
      ],
    };
  },
});

function sideOf(place: Placed, tasks: StudyTasks): Side {
  const part = { network: place.network };
  const crafted = tasks
    .attacksFor("white-box", place.network)
    .map((attack) => ({ part, attack, records: "reported" as const }));
  return {
    placed: place,
    clean: tasks.clean(place.network, "reported"),
    policy: tasks.policy(part),
    judged: crafted.map((each) => tasks.judge(place.network, each)),
  };
}

/** What is wrong on one network: per sample, for the routed answer and for the final exit. */
interface Fallen {
  readonly clean: { readonly routed: boolean[]; readonly final: boolean[] };
  readonly routed: boolean[];
  readonly final: boolean[];
}

async function fallen({ clean, policy, judged }: Side, results: StudyResults): Promise<Fallen> {
  const rule = await results.policy(policy);
  const wrong = (answers: Answers) => ({
    routed: routedAnswers(answers, rule).map(({ label }, i) => label !== answers.labels[i]),
    final: answers.answers.map((row, i) => row.at(-1) !== answers.labels[i]),
  });
  const unharmed = wrong(await results.answers(clean));
  const attacked = await Promise.all(judged.map(async (key) => wrong(await results.answers(key))));
  const any = (of: "routed" | "final") => unharmed[of].map((_, i) => attacked.some((each) => each[of][i]));
  return { clean: unharmed, routed: any("routed"), final: any("final") };
}

async function compare(fixed: Side, dynamic: Side, radius: number, results: StudyResults) {
  const [s, d] = [await fallen(fixed, results), await fallen(dynamic, results)];
  const eligible = s.routed.flatMap((_, i) => (s.clean.routed[i] || d.clean.routed[i] || d.clean.final[i] ? [] : [i]));
  const count = (test: (i: number) => boolean): number => eligible.filter(test).length;
  const onlyStatic = count((i) => s.routed[i] && !d.routed[i]);
  const onlyRouted = count((i) => !s.routed[i] && d.routed[i]);
  const n = eligible.length;
  const row: RobustnessRow = {
    block: fixed.placed.block.name,
    eligible: n,
    radius,
    static: wilson(
      count((i) => s.routed[i]),
      n,
    ),
    routed: wilson(
      count((i) => d.routed[i]),
      n,
    ),
    final: wilson(
      count((i) => d.final[i]),
      n,
    ),
    both: count((i) => s.routed[i] && d.routed[i]),
    onlyStatic,
    onlyRouted,
    exact: mcnemarExact(onlyStatic, onlyRouted),
    difference: pairedDifference(onlyStatic, onlyRouted, Math.max(1, n)),
  };
  const column = (fell: readonly boolean[]) => asNumbers(eligible.map((i) => fell[i]));
  return { row, columns: { static: column(s.routed), "joint routed": column(d.routed) } };
}
