import { present } from "../../core/present.js";
import { type Dataset, readImages } from "../../data/dataset.js";
import { checkFit } from "../../data/fit.js";
import { attachExits, exitsMetadata } from "../../dynamic/model/exits.js";
import { type InputOptions, prependInput } from "../../dynamic/model/input.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel, withAdded } from "../../dynamic/model/model.js";
import { candidatesOf } from "../../dynamic/place/auto.js";
import { cutsFor, type ExitSpec } from "../../dynamic/place/exits.js";
import type { MeasuredPlaces } from "../../dynamic/place/places.js";
import { measurePlaces } from "../../dynamic/place/times.js";
import { checkOutputs } from "../../dynamic/run/outputs.js";
import type { TimingOptions } from "../../dynamic/run/timing.js";
import type { Graph } from "../../graph/graph.js";
import type { HeadName } from "../../nn/heads.js";
import type { OnnxModel } from "../../onnx/model.js";
import type { Backend } from "../../runtime/backend.js";
import { METADATA_KEYS } from "../../schema/metadata.js";
import type { Normalization } from "../../schema/normalization.js";
import type { TrainableModel } from "../run/request.js";

/** Where exits go, and what they are. */
export interface ConversionRequest extends InputOptions {
  /** Where exits go; left out: chosen by counted cost. */
  readonly exits?: ExitSpec | undefined;
  /** Left out: by the feature's rank. */
  readonly head?: HeadName | undefined;
  /** Decides the heads' first weights. */
  readonly seed?: number | undefined;
  /** What to call the model in errors; left out: the graph's name. */
  readonly name?: string | undefined;
  /** The cost that places are judged by, as {@link measureConversion} finds it; left out: counted MACs. */
  readonly measured?: MeasuredPlaces | undefined;
}

/** A place that an exit could stand at. */
export interface PlaceReport {
  /** The value that an exit there would read. */
  readonly cut: string;
  /** The shape of that value, the batch included. */
  readonly shape: readonly (number | string)[];
  /** Cost in front of it, and of its head, as shares of the backbone's: MACs, or time where it was measured. */
  readonly fraction: number;
  /** Cost of the head there, as a share of the backbone's. */
  readonly headFraction: number;
  /** The exit that stands there. */
  readonly exit: string | undefined;
  /** Why no exit is worth its cost there; undefined where one is. */
  readonly unfit: string | undefined;
}

/** A network with new heads, before they are trained. */
export interface ConversionPlan {
  /** What the model is called in errors. */
  readonly name: string;
  /** The network to train: a graph with its exits. */
  readonly model: TrainableModel;
  /** Mean and standard deviation per channel that stand in front of the network. */
  readonly normalization: Normalization | undefined;
  /** Number of classes. */
  readonly classes: number;
  /** Names of the classes, where known. */
  readonly classNames: readonly string[] | undefined;
  /** Early exits that the file had, which the new ones replace. */
  readonly replaced: readonly string[];
  /** Every place where an exit could stand, with the reason where there is none. */
  readonly places: readonly PlaceReport[];
  /** Of the source. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Attach heads to a classifier as it was read: its initializers keep their bits.
 * @param data images that it will be trained on
 * @throws DynnError 'exits/value' when no exit can be where it is asked for, 'model/cut' when there is no place for one at all,
 *         'model/input', 'model/classifier', 'model/attribute' when the model is no classifier of single images, 'data/shape',
 *         'data/label' when it does not fit the data */
export function planConversion(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  request: ConversionRequest = {},
): ConversionPlan {
  const { exits = { kind: "auto" }, head, seed = 0, measured } = request;
  const contract = contractOf(source, data, request);
  const backbone = backboneFrom(source.graph, contract);
  const cuts = cutsFor(backbone, exits, head, measured);
  const graph = attachExits(backbone, cuts, { seed, ...(head === undefined ? {} : { head }) });
  const whole = contract.prepended ? prependInput(graph, contract.prepended) : graph;
  const converted = dynamicModel({ graph: whole, metadata: writeMetadata({ exits: exitsMetadata(whole) }) });
  const exitAt = (cut: string) => converted.exits[cuts.indexOf(cut)]?.name;
  return {
    name: contract.name,
    model: { graph: whole, exits: converted.exits },
    normalization: statedOf(contract, request) ?? contract.normalization,
    classes: contract.classes,
    classNames: contract.classNames ?? data.classes,
    replaced: contract.exits.slice(0, -1).map((e) => e.name),
    places: candidatesOf(backbone, head, cuts, measured).map((c) => ({ ...c, exit: exitAt(c.cut) })),
    metadata: source.metadata,
  };
}

/** The normalisation that was asked for, in its own digits, where it is all that the graph applies. */
const statedOf = ({ prepended, inputScale }: DynamicModel, { normalization, forceNormalization }: ConversionRequest) =>
  normalization && !forceNormalization && inputScale === undefined && prepended?.reversed === false
    ? prepended.normalization
    : undefined;

/** Measure what places for exits cost on this machine, by the time of a batch of the data.
 * @param request of the conversion that is planned with it
 * @throws DynnError as {@link planConversion}; 'runtime/load', 'runtime/run', or the signal's reason */
export async function measureConversion(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  { backend, batch, ...timing }: PlaceCostOptions,
  request: ConversionRequest = {},
): Promise<MeasuredPlaces> {
  const { exits, head } = request;
  const images = await readImages(
    data,
    Array.from({ length: batch }, (_, i) => i % data.count),
  );
  const backbone = backboneFrom(source.graph, contractOf(source, data, request));
  const named = exits?.kind === "values" ? exits.values : [];
  return measurePlaces(backbone, backend, { ...timing, images, head, named });
}

/** Records that are run to see what the final exit holds. */
const LOOKED_AT = 16;

/** The source with the logits of its classifier as the last output, where running it on images shows probabilities that the graph does
 *  not show. Any other source is returned as it is.
 * @throws DynnError as {@link planConversion}, 'runtime/load', 'runtime/run' */
export async function checkedSource(
  source: OnnxModel,
  data: Dataset,
  backend: Backend,
  request: ConversionRequest = {},
): Promise<OnnxModel> {
  const contract = contractOf(source, data, request);
  const records = Array.from({ length: Math.min(LOOKED_AT, data.count) }, (_, i) => i);
  const checked = await checkOutputs(contract, backend, await readImages(data, records));
  if (checked === contract) return source;
  const outputs = checked.exits.map(({ logits }) => ({ name: logits, dtype: "float32" as const, shape: undefined }));
  const metadata = new Map(
    [...source.metadata].filter(([key]) => key !== METADATA_KEYS.exits && key !== METADATA_KEYS.policy),
  );
  return { ...source, graph: { ...withAdded(source.graph, checked), outputs }, metadata };
}

/** How costs of places are measured. */
export interface PlaceCostOptions extends Omit<TimingOptions, "images"> {
  /** Runs the parts of the network. */
  readonly backend: Backend;
  /** Images in one run. */
  readonly batch: number;
}

/** The source as a classifier of the data's images. */
function contractOf(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  { name = source.graph.name, normalization, forceNormalization, channels }: ConversionRequest,
): DynamicModel {
  const [, height, width] = data.shape;
  const contract = dynamicModel(source, {
    name,
    imageSize: [height, width],
    ...{ normalization, forceNormalization, channels },
  });
  checkFit(contract, data);
  return contract;
}

/** The source's own graph with the input and the last output of the contract. */
const backboneFrom = (graph: Graph, contract: DynamicModel): Graph => ({
  ...withAdded(graph, contract),
  name: contract.name,
  inputs: [{ name: contract.input.name, dtype: "float32", shape: contract.input.shape }],
  outputs: [{ name: present(contract.exits.at(-1), "the final exit").logits, dtype: "float32", shape: undefined }],
  types: new Map(),
});
