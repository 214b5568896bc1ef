/** @file Our attacks beside the original implementations, on the same images and the same network
 *  (test/fixtures/attack-reference/values.json; its "about" and "cautions" say how they were made). A family of attacks
 *  has a file of cases beside it. */
import { readdirSync, readFileSync } from "node:fs";
import { Evaluator } from "../../src/attacks/oracle/evaluator.js";
import { runAttack } from "../../src/attacks/runner.js";
import { samplesOf } from "../../src/attacks/sample.js";
import { type AttackConfig, type ConfiguredAttack, configureAttack } from "../../src/attacks/spec.js";
import { Images } from "../../src/core/images.js";
import { type DynamicModel, dynamicModel } from "../../src/dynamic/model/model.js";
import { argmax } from "../../src/dynamic/route/policy.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { percentile } from "../../src/measures/percentile.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { readModel } from "../../src/onnx/read.js";
import { NORMS } from "../../src/perturb/norms.js";
import { chosenRecords, cifarTestRecords } from "./cifar-records.js";
import { referenceFile } from "./reference-cases.js";

const folder = new URL("../fixtures/attack-reference/", import.meta.url);
const readJson = (name: string) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

/** One attack of ours, and the name of the reference entry: its group and its name. */
export interface ReferenceCase {
  readonly reference: readonly [group: string, name: string];
  readonly attack: Omit<AttackConfig, "name">;
  /** Robust accuracy; the median distance over all samples, or over those that theirs does not fail on; or the share of
   *  rightly classified samples that reach their target. */
  readonly compare: "robust" | "median" | "common" | "targeted";
  /** Whether one of the two draws random numbers. */
  readonly random: boolean;
  /** How many seeds ours runs with, from 0 on. The default is 1. */
  readonly seeds?: number;
  /** Whether the slow tests run it. The others run by hand (test/attacks/reference.slow.test.ts). */
  readonly quick: boolean;
}

/** One run of an entry. */
interface RecordedRun {
  readonly targets?: string;
  readonly targeted_success_on_correct?: number;
  /** Null where the attack failed. */
  readonly distances?: readonly (number | null)[];
}

/** One entry of the reference values, as far as it is read here. */
export interface ReferenceEntry {
  readonly samples?: number;
  /** The records attacked. The default is the first ones. */
  readonly records?: readonly number[];
  readonly robust_accuracy?: number;
  readonly robust_accuracy_range?: readonly [number, number];
  readonly median_all?: number;
  readonly median_all_range?: readonly [number, number];
  readonly median?: number;
  readonly median_range?: readonly [number, number];
  readonly runs?: readonly RecordedRun[];
}

/** The records that an entry attacked. */
const recordsOf = ({ records, samples = 0 }: ReferenceEntry): readonly number[] =>
  records ?? Array.from({ length: samples }, (_, i) => i);

/** The families of attacks, each with its cases. */
export const families = (): Record<string, readonly ReferenceCase[]> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith(".cases.json"))
      .map((name) => [name.replace(".cases.json", ""), readJson(name)]),
  );

const values = readJson("values.json");

export const entryOf = ({ reference: [group, name] }: ReferenceCase): ReferenceEntry => values[group][name];

/** What one case gave, ours beside theirs. */
export interface Compared {
  readonly reference: string;
  readonly attack: ReferenceCase["attack"];
  readonly measure: ReferenceCase["compare"];
  readonly samples: number;
  /** The median of our seeds. */
  readonly ours: number;
  /** What each of our seeds gave. */
  readonly seeds: readonly number[];
  readonly theirs: number;
  readonly range: readonly [number, number];
  /** The value that must lie within `allowed`: ours, or theirs where ours alone has several seeds. */
  readonly judged: number;
  readonly allowed: readonly [number, number];
}

/** Runs one case. The policy is that of the reference: threshold 0.8, fallback final. */
export async function compare(given: ReferenceCase): Promise<Compared> {
  const entry = entryOf(given);
  const model = dynamicModel(readModel(referenceFile("resnet20-sdn/model.onnx")));
  const records = recordsOf(entry);
  const seeds: number[] = [];
  for (let seed = 0; seed < (given.seeds ?? 1); seed++) seeds.push(await measured(model, given, records, seed));
  const [theirs, range] = recordedValue(given.compare, entry);
  return {
    reference: given.reference.join(" "),
    attack: given.attack,
    measure: given.compare,
    samples: records.length,
    ours: percentile(seeds, 50),
    seeds,
    theirs,
    range,
    ...judgement(given, { theirs, range, seeds }),
  };
}

/** The value of an entry and its range. */
function recordedValue(compare: ReferenceCase["compare"], entry: ReferenceEntry): [number, [number, number]] {
  const single = (value: number): [number, [number, number]] => [value, [value, value]];
  const run = entry.runs?.[0];
  const values = {
    common: () =>
      single(
        percentile(
          (run?.distances ?? []).filter((distance) => distance !== null),
          50,
        ),
      ),
    robust: () => [entry.robust_accuracy, entry.robust_accuracy_range],
    median: () => [entry.median_all ?? entry.median, entry.median_all_range ?? entry.median_range],
    targeted: () => single(run?.targeted_success_on_correct as number),
  };
  return values[compare]() as [number, [number, number]];
}

/** Deterministic attacks: 1.5 points of robust accuracy or of targeted successes, and 3 % of a distance. Random attacks:
 *  3 points beyond the range of the seeds, and 3 % for a distance. The range is that of their seeds. Where they ran one
 *  seed and ours ran several, it is that of ours, and their value must lie in it. */
export function judgement(
  { compare, random }: Pick<ReferenceCase, "compare" | "random">,
  { theirs, range, seeds }: Pick<Compared, "theirs" | "range" | "seeds">,
): Pick<Compared, "judged" | "allowed"> {
  const ours = percentile(seeds, 50);
  const oursGive = random && range[0] === range[1] && seeds.length > 1;
  const judged = oursGive ? theirs : ours;
  const [low, high] = oursGive ? [Math.min(...seeds), Math.max(...seeds)] : random ? range : [theirs, theirs];
  if (compare === "median" || compare === "common") return { judged, allowed: [low * 0.97, high * 1.03] };
  const points = random ? 0.03 : 0.015;
  return { judged, allowed: [low - points, high + points] };
}

async function measured(
  model: DynamicModel,
  given: ReferenceCase,
  records: readonly number[],
  seed: number,
): Promise<number> {
  const { compare } = given;
  const backend = ortNode({ threads: 1 });
  const { pixels, labels } = await chosenRecords(await cifarTestRecords(), records);
  const images = Images.for(model, pixels);
  const forward = await Forward.compile(model, { backend });
  const samples = samplesOf({ images, labels, logits: await forward.logits(images, { batch: 64 }) });
  const policy = { rule: "max-softmax", thresholds: [0.8, 0.8, 0.8, 0.8], fallback: "final" } as const;
  const configured = aimedAs(entryOf(given), configureAttack({ name: "t", ...given.attack }, { model, policy }));
  const evaluator = new Evaluator(model, { backend });
  const outcomes = await runAttack(configured, samples, { evaluator, seed, batch: 64 });
  await forward.release();
  await evaluator.release();
  if (compare === "robust") return outcomes.filter(({ success }) => !success).length / records.length;
  if (compare === "targeted") {
    const right = outcomes.filter((_, i) => argmax(samples[i].clean[4]) === samples[i].label);
    return right.filter(({ success }) => success).length / right.length;
  }
  const { distance } = NORMS[configured.budget.norm];
  const distances = outcomes.map(({ success, eligible, image }, i) => {
    if (!eligible) return 0;
    return success ? distance(image, samples[i].pixels) : Number.POSITIVE_INFINITY;
  });
  const theirs = compare === "common" ? entryOf(given).runs?.[0]?.distances : undefined;
  return percentile(
    distances.filter((_, i) => theirs?.[i] !== null),
    50,
  );
}

/** The attack aimed at the classes that the entry records, one digit for each sample. */
function aimedAs({ runs }: ReferenceEntry, attack: ConfiguredAttack): ConfiguredAttack {
  const targets = runs?.[0]?.targets;
  if (targets === undefined) return attack;
  return { ...attack, goal: { ...attack.goal, target: ({ id }) => Number(targets[id]) } };
}
