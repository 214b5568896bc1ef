/** @file Claim C2: dynamic surrogates make more adversarial samples with the same work. Shallow
 *  static networks are the baselines: if they match, the gain is shallowness. Source:
 *  docs/study.md, claim C2. */
import { present } from "../../../core/present.js";
import { kaplanMeier } from "../../../measures/statistics/index.js";
import type { PlannedAttack } from "../../../schema/study/plan.js";
import type { YieldCurve } from "../../../schema/study/record.js";
import type { TaskKey } from "../../tasks/task.js";
import type { Crafted, StudyTasks } from "../builder.js";
import type { BlockTable } from "../claims/table.js";
import { type Placed, placed, placedOn } from "../kinship.js";
import { routedAnswers, type StudyResults } from "../results.js";
import { mean, noSample, question } from "./question.js";

/** An attack on one surrogate, judged on static targets. */
interface Contender {
  readonly label: string;
  readonly crafted: TaskKey;
  readonly judged: readonly TaskKey[];
}

interface BlockNeeds {
  readonly place: Placed;
  readonly contenders: readonly Contender[];
  /** Clean answers of every network that is compared: the targets, and the dynamic surrogate. */
  readonly clean: readonly TaskKey[];
  readonly dynamic: { readonly clean: TaskKey; readonly policy: TaskKey | undefined };
  readonly pace: TaskKey | undefined;
}

const STATIC = "static";
const ROUTED = "dynamic, routed";

/** Cost at which the dynamic network is cut to a static one, as shares of the full cost. */
const PRUNED_AT = [0.33, 0.66];
const ROUNDS = 5;

export const yieldOfWork = question<readonly BlockNeeds[]>({
  claim: "C2",
  source: "abstract of the study (ICLR text)",
  unit: "samples per 10^12 MACs",
  scale: "logarithm",
  needs: (tasks) =>
    tasks.plan.blocks.flatMap((block) => needsOf(placed(block, "static"), placed(block, "joint"), tasks)),
  analyse: async (needs, _tasks, results) => {
    const tables: BlockTable[] = [];
    const curves: YieldCurve[] = [];
    const without: string[] = [];
    const alone = needs.filter(({ contenders }) => contenders[0].judged.length === 0);
    for (const each of needs) {
      const made = await workOf(each, results);
      curves.push(...made.map(({ curve }) => curve));
      const [fixed, dynamic] = made;
      const { name, cell } = each.place.block;
      if (fixed.work.length === 0) without.push(name);
      else if (each.contenders[0].judged.length > 0)
        tables.push({
          ...{ id: name, cell },
          columns: {
            "adversarial by joint": dynamic.adversarial,
            "macs of joint": dynamic.work,
            "adversarial by static": fixed.adversarial,
            "macs of static": fixed.work,
          },
        });
    }
    const notRun = alone.map(({ place }) => ({
      what: `samples per work of ${place.block.name}`,
      why: "no other static network on the same data is a target",
    }));
    const empty = without.map((name) => noSample(`samples per work of ${name}`));
    return { tables, part: { yield: curves }, notRun: [...notRun, ...empty] };
  },
});

function needsOf(fixed: Placed | undefined, dynamic: Placed | undefined, tasks: StudyTasks): BlockNeeds[] {
  if (!fixed || !dynamic) return [];
  const attacks = tasks.attacksFor("yield", dynamic.network);
  const plain = attacks.find(({ on }) => on === "any");
  const routed = routedAttack(attacks, dynamic, tasks);
  if (!plain || !routed) return [];
  // The static network of the block itself is no target of the static surrogate.
  const targets = placedOn(tasks.plan, fixed.block.data, ["static"]).filter(({ network }) => network !== fixed.network);
  const contender = (label: string, crafted: Crafted): Contender => ({
    label,
    crafted: tasks.craft(crafted),
    judged: targets.map(({ network }) => tasks.judge(network, crafted)),
  });
  const onNetwork = (network: string, attack: PlannedAttack, exits?: readonly number[]): Crafted => ({
    part: { network, exits },
    attack,
    records: "reported",
  });
  const small = placed(fixed.block, "small-static");
  const pair = [onNetwork(fixed.network, plain), onNetwork(dynamic.network, routed)];
  return [
    {
      place: fixed,
      contenders: [
        contender(STATIC, pair[0]),
        contender(ROUTED, pair[1]),
        ...prunedExits(dynamic, tasks).map((k) =>
          contender(`pruned at ${nameOf(dynamic, k, tasks)}`, onNetwork(dynamic.network, plain, [k])),
        ),
        ...(small ? [contender("small static", onNetwork(small.network, plain))] : []),
      ],
      clean: [fixed, ...targets].map(({ network }) => tasks.clean(network, "reported")),
      dynamic: { clean: tasks.clean(dynamic.network, "reported"), policy: tasks.policy({ network: dynamic.network }) },
      pace: tasks.plan.timing ? tasks.pace(pair, ROUNDS) : undefined,
    },
  ];
}

/** The attack on the routed answer. Without early exits, the final exit gives it. */
function routedAttack(
  attacks: readonly PlannedAttack[],
  { network }: Placed,
  tasks: StudyTasks,
): PlannedAttack | undefined {
  const isStaged = tasks.exits({ network }).length > 1;
  return attacks.find(({ on, goal }) => (isStaged ? on === "dynamic" && goal === "routed" : on === "any"));
}

const nameOf = ({ network }: Placed, exit: number, tasks: StudyTasks): string =>
  tasks.network(network).exits[exit].name;

/** The early exits whose costs are nearest to some shares. */
function prunedExits({ network }: Placed, tasks: StudyTasks): number[] {
  const { exits, gates } = tasks.network(network);
  // A part of a network with gates would need a policy of its own.
  const early = gates ? [] : exits.slice(0, -1);
  const nearest = PRUNED_AT.map((share) =>
    early.reduce(
      (best, { costFraction }, k) =>
        Math.abs(costFraction - share) < Math.abs(early[best].costFraction - share) ? k : best,
      0,
    ),
  );
  return early.length === 0 ? [] : [...new Set(nearest)];
}

async function workOf({ place, contenders, clean, dynamic, pace }: BlockNeeds, results: StudyResults): Promise<Made[]> {
  const right = await Promise.all(
    clean.map(async (key) => {
      const { answers, labels } = await results.answers(key);
      return answers.map((row, i) => row.at(-1) === labels[i]);
    }),
  );
  const own = await results.answers(dynamic.clean);
  const routed = routedAnswers(own, await results.policy(dynamic.policy));
  right.push(routed.map(({ label }, i) => label === own.labels[i]));
  const eligible = own.labels.flatMap((_, i) => (right.every((one) => one[i]) ? [i] : []));
  const seconds = pace === undefined ? undefined : await secondsOf(pace, results);
  return Promise.all(
    contenders.map((contender, i) =>
      madeBy(contender, { block: place.block.name, eligible, rate: seconds?.[i] }, results),
    ),
  );
}

/** Median seconds per sample of each timed contender. */
async function secondsOf(key: TaskKey, results: StudyResults): Promise<number[]> {
  const rows = await results.pace(key);
  const contestants = [...new Set(rows.map(({ contestant }) => contestant))].sort((a, b) => a - b);
  return contestants.map((c) => {
    const own = rows.filter(({ contestant }) => contestant === c).map(({ seconds, samples }) => seconds / samples);
    return present(own.sort((a, b) => a - b)[Math.floor(own.length / 2)], "a timed round");
  });
}

/** What one contender made, per eligible sample. */
interface Made {
  readonly curve: YieldCurve;
  /** Share of the targets that the sample fools. */
  readonly adversarial: readonly number[];
  /** MACs of the attack on the sample. */
  readonly work: readonly number[];
}

async function madeBy(
  { label, crafted, judged }: Contender,
  { block, eligible, rate }: { block: string; eligible: readonly number[]; rate: number | undefined },
  results: StudyResults,
): Promise<Made> {
  const outcomes = await results.outcomes(crafted);
  const targets = await Promise.all(judged.map((key) => results.answers(key)));
  const adversarial = eligible.map((i) =>
    mean(targets.map(({ answers, labels }) => Number(answers[i].at(-1) !== labels[i]))),
  );
  const work = eligible.map((i) => outcomes[i].forwardMacs + outcomes[i].backwardMacs);
  const times = eligible.map((i) => outcomes[i].macsToSuccess);
  const event = times.map((t) => t !== null);
  const steps = event.length === 0 ? [] : kaplanMeier({ time: times.map((t, i) => t ?? work[i]), event });
  const total = work.reduce((a, b) => a + b, 0);
  const curve: YieldCurve = {
    ...{ block, surrogate: label, samples: eligible.length },
    perTeraMac: total > 0 && targets.length > 0 ? (adversarial.reduce((a, b) => a + b, 0) * 1e12) / total : null,
    perSecond: rate === undefined || targets.length === 0 ? null : mean(adversarial) / rate,
    censored: times.filter((t) => t === null).length,
    points: steps.map(({ time, survival }) => ({ macs: time, remaining: survival })),
  };
  return { curve, adversarial, work };
}
