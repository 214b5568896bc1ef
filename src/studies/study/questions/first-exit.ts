/** @file Claim C4: an earlier first exit makes a network more robust. Every early exit of one
 *  network is in turn the first, with thresholds for it, on the same attacked images. Source:
 *  docs/study.md, claim C4. */
import { wilson } from "../../../measures/statistics/index.js";
import type { FirstExitCurve, StudyRecord } from "../../../schema/study/record.js";
import type { CalibrationTarget } from "../../../schema/target.js";
import type { TaskKey } from "../../tasks/task.js";
import type { StudyTasks } from "../builder.js";
import type { BlockTable } from "../claims/table.js";
import { kinshipOf, type Placed, placed, placedOn } from "../kinship.js";
import { type Answers, routedAnswers, type StudyResults } from "../results.js";
import { mean, noSample, question } from "./question.js";

/** One network with a first exit at each of its early exits. */
interface BlockNeeds {
  readonly place: Placed;
  readonly clean: TaskKey;
  readonly exits: readonly { readonly name: string; readonly costFraction: number }[];
  /** Per target of the plan and per early exit: the policy with that exit and the final one.
   * Undefined where they cannot reach the target. */
  readonly policies: readonly (readonly (TaskKey | undefined)[])[];
  readonly within: TaskKey;
  /** The same attack on networks that share no weights. */
  readonly across: readonly TaskKey[];
}

/** Number of first exits that the slope is taken over, so that networks with many legal cuts count
 * like the others. */
const PLACES = 4;

export const firstExit = question<readonly BlockNeeds[]>({
  claim: "C4",
  source: "abstract of the study (ICLR text)",
  unit: "changed labels per factor of 10 in cost",
  scale: "share",
  needs: (tasks) =>
    tasks.plan.blocks.flatMap((block) => needsOf(placed(block, "dense") ?? placed(block, "ic-only"), tasks)),
  analyse: async (needs, tasks, results) => {
    const tables: BlockTable[] = [];
    const curves: FirstExitCurve[] = [];
    const unfit: StudyRecord["notRun"] = [];
    const alone = needs.filter(({ across }) => across.length === 0);
    for (const each of needs) {
      for (const [target, { name }] of tasks.plan.policy.targets.entries()) {
        curves.push((await curveOf(each, [each.within], target, results)).curve("within", name));
        if (each.across.length === 0) continue;
        const across = await curveOf(each, each.across, target, results);
        curves.push(across.curve("across", name));
        if (target > 0) continue;
        if (across.table) tables.push(across.table);
        else unfit.push({ what: `first exit of ${each.place.block.name}`, why: across.lacks });
      }
    }
    return {
      tables,
      part: { firstExit: curves },
      notRun: [
        ...alone.map(({ place }) => ({
          what: `first exit of ${place.block.name}, attacks of other networks`,
          why: "no other network on the same data",
        })),
        ...unfit,
      ],
    };
  },
});

function needsOf(place: Placed | undefined, tasks: StudyTasks): BlockNeeds[] {
  const attack = tasks.plan.attacks.find(({ on, uses }) => uses.includes("transfer") && on === "any");
  if (!place || !attack) return [];
  const { network } = place;
  const { exits } = tasks.network(network);
  const last = exits.length - 1;
  const others = placedOn(tasks.plan, place.block.data, ["static", "joint"]).filter((other) =>
    ["same-arch", "cross-arch"].includes(kinshipOf(other, place)),
  );
  const judge = (network: string) => tasks.judge(place.network, { part: { network }, attack, records: "reported" });
  return [
    {
      place,
      clean: tasks.clean(place.network, "reported"),
      exits: exits.slice(0, -1),
      policies: tasks.plan.policy.targets.map(({ target }, place) =>
        exits
          .slice(0, -1)
          .map((exit, k) => (reaches(target, exit) ? tasks.policy({ network, exits: [k, last] }, place) : undefined)),
      ),
      within: judge(place.network),
      across: others.map(({ network }) => judge(network)),
    },
  ];
}

/** A network that cannot stop before this exit costs at least as much as the exit. */
const reaches = (target: CalibrationTarget, { costFraction }: { readonly costFraction: number }): boolean =>
  target.kind !== "budget" || costFraction <= target.cost;

interface Sweep {
  /** Undefined for a network with too few early exits, or without an eligible sample. */
  readonly table: BlockTable | undefined;
  /** Why there is no table. */
  readonly lacks: string;
  readonly curve: (scenario: FirstExitCurve["scenario"], target: string) => FirstExitCurve;
}

async function curveOf(
  needs: BlockNeeds,
  sets: readonly TaskKey[],
  target: number,
  results: StudyResults,
): Promise<Sweep> {
  const clean = await results.answers(needs.clean);
  const attacked = await Promise.all(sets.map((key) => results.answers(key)));
  const final = clean.answers[0].length - 1;
  const eligible = clean.labels.flatMap((label, i) => (clean.answers[i][final] === label ? [i] : []));
  const points: FirstExitCurve["points"] = [];
  const changes: number[][] = [];
  const kept = needs.exits.flatMap((exit, k) => (needs.policies[target][k] === undefined ? [] : [{ ...exit, k }]));
  for (const { k, name, costFraction } of kept) {
    const policy = await results.policy(needs.policies[target][k]);
    const route = (answers: Answers) => routedAnswers(answers, policy, [k, final]);
    const before = route(clean);
    const seen = attacked.map((answers) => {
      const after = route(answers);
      return eligible.map((i) => ({ changed: after[i].label !== before[i].label, fired: after[i].stop === 0 }));
    });
    const all = seen.flat();
    const fired = all.filter((one) => one.fired);
    const changed = eligible.map((_, i) => mean(seen.map((set) => Number(set[i].changed))));
    changes.push(changed);
    points.push({
      exit: name,
      costFraction,
      // The images of several surrogates are no independent samples: the interval counts records.
      changed: wilson(Math.round(mean(changed) * eligible.length), eligible.length),
      exposure: all.length === 0 ? 0 : fired.length / all.length,
      vulnerability: fired.length === 0 ? null : mean(fired.map(({ changed }) => Number(changed))),
    });
  }
  const { name, cell } = needs.place.block;
  const places = chosenPlaces(kept.length);
  const column = (i: number): string => `changed at ${i + 1}`;
  const logs = places.map((k) => Math.log10(kept[k].costFraction));
  return {
    table:
      places.length < PLACES || eligible.length === 0
        ? undefined
        : {
            ...{ id: name, cell },
            columns: Object.fromEntries(places.map((k, i) => [column(i), changes[k]])),
            constants: Object.fromEntries(logs.map((log, i) => [column(i), log])),
          },
    lacks:
      eligible.length === 0
        ? noSample("").why
        : `the slope needs ${PLACES} early exits that reach the target, it has ${kept.length}`,
    curve: (scenario, named) => ({
      ...{ block: name, scenario, target: named, points },
      slope:
        places.length < 2
          ? null
          : slopeOf(
              logs,
              places.map((k) => mean(changes[k])),
            ),
    }),
  };
}

/** Early exits from the first to the last, evenly spaced. */
const chosenPlaces = (early: number): number[] =>
  early < PLACES
    ? Array.from({ length: early }, (_, k) => k)
    : Array.from({ length: PLACES }, (_, i) => Math.round((i * (early - 1)) / (PLACES - 1)));

/** The slope of least squares. */
function slopeOf(x: readonly number[], y: readonly number[]): number {
  const centre = mean(x);
  const spread = x.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return spread === 0 ? 0 : x.reduce((sum, value, k) => sum + (value - centre) * y[k], 0) / spread;
}
