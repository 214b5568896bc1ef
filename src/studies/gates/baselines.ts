/** @file Compares a network with gates with networks that decide nothing, at equal cost and on the
 *  same images: the best fixed blocks, gates that are open at random, a static network. */
import { DynnError } from "../../core/errors.js";
import { type Dataset, first, readImages } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import { checkApart } from "../../data/split.js";
import type { DynamicModel } from "../../dynamic/model/model.js";
import { costShareOf } from "../../dynamic/model/units.js";
import { openRates } from "../../measures/cost.js";
import { mcnemarExact } from "../../measures/mcnemar.js";
import { pairedDifference } from "../../measures/statistics/paired-difference.js";
import { wilson } from "../../measures/wilson.js";
import type { Backend } from "../../runtime/backend.js";
import { ALWAYS_CLOSED, ALWAYS_OPEN, type Policy } from "../../schema/policy.js";
import type { GateBaseline, GateBaselines } from "../../schema/skipping.js";
import type { Progress } from "../audit/options.js";
import { withCheckedModel } from "../checked-model.js";
import { type Answers, answersAtRandom, answersUnder, finalAnswers, type Labelled, type Running } from "./runs.js";
import { type FixedBlocks, type FixedCandidates, fixedCandidates } from "./search.js";

/** The input of {@link gateBaselines}. */
export interface GateBaselinesOptions {
  /** A network with gates. */
  readonly model: DynamicModel;
  readonly policy: Policy;
  readonly backend: Backend;
  /** The records that are reported. */
  readonly data: Dataset;
  /** Other records, on which blocks and rates are chosen. */
  readonly validation: Dataset;
  /** Static networks, judged by their final exits. */
  readonly statics?: readonly DynamicModel[] | undefined;
  /** Most validation records in the search of fixed blocks, from the first on. Default: 500. */
  readonly searched?: number | undefined;
  /** The seed of random gates. */
  readonly seed: number;
  /** Images in one run. */
  readonly batch: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const SEARCHED = 500;

/** Measures whether the decisions of the gates are worth more than fixed blocks of the same cost.
 * Blocks and rates are chosen on validation records and judged on the reported ones.
 * @throws DynnError 'model/gates' for a network without gates
 * @throws DynnError 'policy/validation' when a reported record is among the validation records
 * @throws DynnError 'data/shape', 'runtime/run', or the signal's reason when aborted
 * @example
 * const records = { data, validation };
 * const found = await gateBaselines({ model, policy, backend, ...records, seed: 0, batch: 64 });
 * for (const { kind, gain, p } of found.compared) console.log(kind, gain.value, p); */
export async function gateBaselines(given: GateBaselinesOptions): Promise<GateBaselines> {
  if (given.model.gates.length === 0)
    throw new DynnError(
      "model/gates",
      `${given.model.name}: has no gates, so there are no fixed blocks to compare it with. Give a network with gates.`,
      { model: given.model.name },
    );
  const { model, policy, data, validation, seed, statics = [] } = await withCheckedModel(given, given.data);
  await checkApart(data, validation);
  const chosenOn = await labelled(model, first(validation, given.searched ?? SEARCHED));
  const shown = await labelled(model, data);
  const own = await answersUnder(model, policy, chosenOn, running(given, "validation images"));
  const rates = openRates(own.routed.map(({ gates = [] }) => gates));
  const { greedy, mostOpen } = await fixedBlocks(given, { model, policy, chosenOn, own, rates });
  const network = await answersUnder(model, policy, shown, running(given, "images"));
  const fixed = async (kind: GateBaseline["kind"], about: string, blocks: FixedBlocks): Promise<GateBaseline> => {
    const how = running(given, "images, fixed blocks");
    const answers = await answersUnder(model, fixedPolicy(policy, blocks), shown, how);
    return { ...compare(kind, about, network, answers), open: openNames(model, blocks) };
  };
  const how = { ...running(given, "images, random gates"), rates, seed };
  const compared: GateBaseline[] = [
    await fixed("fixed-blocks", CLOSED(chosenOn.labels.length), greedy),
    await fixed("most-open-blocks", OFTEN(chosenOn.labels.length), mostOpen),
    compare("random-gates", RANDOM, network, await answersAtRandom(model, policy, shown, how)),
  ];
  for (const one of statics) compared.push(await staticOf(one, { given, model, shown, network }));
  return {
    samples: shown.labels.length,
    ...summary(network),
    openRates: openRates(network.routed.map(({ gates = [] }) => gates)),
    validation: { name: validation.name, samples: chosenOn.labels.length },
    compared,
  };
}

const CLOSED = (records: number): string =>
  `On ${records} validation records, from all gates open: the gate whose closing leaves the lowest cross-entropy is closed, one after the other, while the mean cost stays at or above that of the network. The weights stay.`;
const OFTEN = (records: number): string =>
  `The gates that are open most often on ${records} validation records; as many as the mean cost of the network needs. The weights stay.`;
const RANDOM = "Each gate is open at random, at its rate on the validation records, for each image by itself.";

async function labelled(model: DynamicModel, given: Dataset): Promise<Labelled> {
  const data = fitData(model, given);
  return { images: await readImages(data), labels: data.labels };
}

const running = ({ backend, batch, signal, onProgress }: GateBaselinesOptions, phase: string): Running => ({
  ...{ backend, batch, signal },
  onProgress: (done, total) => onProgress?.({ phase, done, total }),
});

interface Choosing {
  readonly model: DynamicModel;
  readonly policy: Policy;
  readonly chosenOn: Labelled;
  readonly own: Answers;
  readonly rates: readonly (number | null)[];
}

function fixedBlocks(
  given: GateBaselinesOptions,
  { model, policy, chosenOn, own, rates }: Choosing,
): Promise<FixedCandidates> {
  const { backend, batch, signal, onProgress } = given;
  const total = runsOf(model, own.cost);
  let done = 0;
  return fixedCandidates({
    rates,
    target: own.cost,
    costOf: (open) => (model.exits.length > 1 ? undefined : costShareOf(model, { stop: 0, gates: open.map(bitOf) })),
    run: async (open) => {
      const { right, loss, cost } = await answersUnder(model, fixedPolicy(policy, { open }), chosenOn, {
        ...{ backend, batch, signal },
      });
      done++;
      onProgress?.({ phase: "fixed blocks", done, total: Math.max(done, total) });
      return { accuracy: right.filter(Boolean).length / right.length, loss, cost };
    },
  });
}

const bitOf = (open: boolean): 0 | 1 => (open ? 1 : 0);

/** About how many runs the search needs: one for each open gate before each closing. */
function runsOf({ gates }: DynamicModel, target: number): number {
  const each = gates.reduce((sum, { costFraction }) => sum + costFraction, 0) / gates.length;
  const closings = Math.min(gates.length, Math.floor((1 - target) / Math.max(each, Number.MIN_VALUE)));
  const closing = Array.from({ length: closings }, (_, i) => gates.length - i);
  return 1 + closing.reduce((sum, runs) => sum + runs, 0) + closings;
}

/** The same exits, with gates that are open or closed for every image. */
const fixedPolicy = (policy: Policy, { open }: Pick<FixedBlocks, "open">): Policy => ({
  ...policy,
  gates: { thresholds: open.map((one) => (one ? ALWAYS_OPEN : ALWAYS_CLOSED)) },
});

const openNames = ({ gates }: DynamicModel, { open }: FixedBlocks): string[] =>
  gates.flatMap(({ name }, k) => (open[k] ? [name] : []));

interface Beside {
  readonly given: GateBaselinesOptions;
  readonly model: DynamicModel;
  readonly shown: Labelled;
  readonly network: Answers;
}

async function staticOf(baseline: DynamicModel, { given, model, shown, network }: Beside): Promise<GateBaseline> {
  const full = model.exits[model.exits.length - 1].macs;
  const answers = await finalAnswers(baseline, full, shown, running(given, "images, static network"));
  return compare("static", `${baseline.name}, its final exit.`, network, answers);
}

const summary = ({ right, cost }: Pick<Answers, "right" | "cost">) => ({
  accuracy: wilson(right.filter(Boolean).length, right.length),
  meanCostFraction: cost,
});

/** The network against a baseline, image by image. */
export function compare(
  kind: GateBaseline["kind"],
  about: string,
  network: Pick<Answers, "right">,
  baseline: Pick<Answers, "right" | "cost">,
): GateBaseline {
  const only = (mine: readonly boolean[], other: readonly boolean[]) => mine.filter((r, i) => r && !other[i]).length;
  const [onlyNetwork, onlyBaseline] = [only(network.right, baseline.right), only(baseline.right, network.right)];
  const { value, low, high } = pairedDifference(onlyNetwork, onlyBaseline, network.right.length);
  return {
    ...{ kind, about, ...summary(baseline), onlyNetwork, onlyBaseline },
    gain: { value, low, high },
    p: mcnemarExact(onlyNetwork, onlyBaseline),
  };
}
