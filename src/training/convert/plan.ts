/** @file Plans a conversion: places for exits, new heads, and the metadata of the source. */
import { present } from "../../core/present.js";
import type { ClassMatching } from "../../data/classes.js";
import { type Dataset, firstImages, readImages } from "../../data/dataset.js";
import { fitData } from "../../data/fit.js";
import { attachExits, exitsMetadata } from "../../dynamic/model/exits.js";
import { type InputOptions, prependInput } from "../../dynamic/model/input.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import { requireOpenBatch } from "../../dynamic/model/open-batch.js";
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

/** The places and heads of new exits. */
export interface ConversionRequest extends InputOptions {
  /** The places of exits. By default, dynn chooses them by counted cost. */
  readonly exits?: ExitSpec | undefined;
  /** The default depends on the rank of the feature. */
  readonly head?: HeadName | undefined;
  /** The seed of the heads' first weights. */
  readonly seed?: number | undefined;
  /** The output that is the final classifier. Default: the output with the largest cost. */
  readonly final?: string | undefined;
  /** For classes of the data that are not called as in the model. */
  readonly matching?: ClassMatching | undefined;
  /** What to call the model in errors; left out: the graph's name. */
  readonly name?: string | undefined;
  /** The cost of places, as {@link measureConversion} measures it. The default is counted MACs. */
  readonly measured?: MeasuredPlaces | undefined;
}

/** A possible place for an exit. */
export interface PlaceReport {
  /** The value that an exit there reads. */
  readonly cut: string;
  /** The shape of that value, with the batch. */
  readonly shape: readonly (number | string)[];
  /** Cost in front of the place, as a share of the backbone's cost. In MACs, or in time when it was
   * measured. */
  readonly fraction: number;
  /** Cost of the head there, as a share of the backbone's cost. */
  readonly headFraction: number;
  /** Name of the exit at this place. Undefined when no exit is there. */
  readonly exit: string | undefined;
  /** Why an exit is not worth its cost there. Undefined when it is worth its cost. */
  readonly unfit: string | undefined;
}

/** A network with new heads, before training. */
export interface ConversionPlan {
  /** The model's name in errors. */
  readonly name: string;
  /** The network to train: a graph with its exits. */
  readonly model: TrainableModel;
  /** Mean and standard deviation per channel of the normalisation in front of the network. */
  readonly normalization: Normalization | undefined;
  /** Number of classes. */
  readonly classes: number;
  /** Names of the classes. Undefined when they are not known. */
  readonly classNames: readonly string[] | undefined;
  /** Names of early exits in the file, which the new exits replace. */
  readonly replaced: readonly string[];
  /** Every possible place for an exit, with its exit, or the reason against one. */
  readonly places: readonly PlaceReport[];
  /** Metadata of the source. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Attaches heads to a classifier. Its initializers keep their bits.
 * @param data images of the later training
 * @throws DynnError 'exits/value' when an exit cannot be at its requested place
 * @throws DynnError 'model/cut' when the network does not have a place for an exit
 * @throws DynnError 'model/input', 'model/classifier' or 'model/attribute' when the model does not
 *  classify single images
 * @throws DynnError 'data/shape' or 'data/label' when the model does not fit the data */
export function planConversion(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  request: ConversionRequest = {},
): ConversionPlan {
  const { exits = { kind: "auto" }, head, seed = 0, measured } = request;
  const { contract, classNames } = contractOf(source, data, request);
  const backbone = backboneFrom(contract);
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
    classNames,
    replaced: contract.exits.slice(0, -1).map((e) => e.name),
    places: candidatesOf(backbone, head, cuts, measured).map((c) => ({ ...c, exit: exitAt(c.cut) })),
    metadata: source.metadata,
  };
}

/** The requested normalisation, in its own digits, when the graph applies nothing else. */
const statedOf = ({ prepended, inputScale }: DynamicModel, { normalization, forceNormalization }: ConversionRequest) =>
  normalization && !forceNormalization && inputScale === undefined && prepended?.reversed === false
    ? prepended.normalization
    : undefined;

/** Measures the cost of places for exits on this machine, as the time of one batch of the data.
 * @throws DynnError as {@link planConversion}, 'runtime/load', 'runtime/run', or the signal's
 *  reason */
export async function measureConversion(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  { batch, request = {}, ...timing }: PlaceCostOptions,
): Promise<MeasuredPlaces> {
  const { exits, head } = request;
  const images = await readImages(
    data,
    Array.from({ length: batch }, (_, i) => i % data.count),
  );
  const backbone = backboneFrom(contractOf(source, data, request).contract);
  const named = exits?.kind === "values" ? exits.values : [];
  return measurePlaces(backbone, { ...timing, images, head, named });
}

/** The source with the logits of its classifier as the last output, when a run on images shows
 * probabilities that the graph does not show. Any other source is returned as it is.
 * @throws DynnError as {@link planConversion}, 'runtime/load', 'runtime/run' */
export async function checkedSource(
  source: OnnxModel,
  data: Dataset,
  backend: Backend,
  request: ConversionRequest = {},
): Promise<OnnxModel> {
  const { contract } = contractOf(source, data, request);
  const checked = await checkOutputs(contract, { backend, images: await firstImages(data) });
  requireOpenBatch(checked, "a conversion");
  if (checked === contract) return source;
  const metadata = new Map(
    [...source.metadata].filter(([key]) => key !== METADATA_KEYS.exits && key !== METADATA_KEYS.policy),
  );
  return { ...source, graph: checked.source, changes: checked.changes, metadata };
}

/** Options of {@link measureConversion}. */
export interface PlaceCostOptions extends Omit<TimingOptions, "images"> {
  /** The request of the later {@link planConversion}. Default: that of its defaults. */
  readonly request?: ConversionRequest | undefined;
  /** Runs the parts of the network. */
  readonly backend: Backend;
  /** Images in one run. */
  readonly batch: number;
}

/** The source as a classifier of the data's images, and the names of its classes. */
function contractOf(
  source: Pick<OnnxModel, "graph" | "metadata">,
  data: Dataset,
  { name = source.graph.name, normalization, forceNormalization, channels, final, matching }: ConversionRequest,
): { readonly contract: DynamicModel; readonly classNames: readonly string[] | undefined } {
  const [, height, width] = data.shape;
  const contract = dynamicModel(source, {
    name,
    imageSize: [height, width],
    ...{ normalization, forceNormalization, channels, final },
  });
  requireOpenBatch(contract, "a conversion");
  const fitted = fitData(contract, data, matching);
  return { contract, classNames: contract.classNames ?? fitted.classes };
}

/** The source's own graph with the input and the last output of the contract. */
const backboneFrom = ({ source, name, input, exits }: DynamicModel): Graph => ({
  ...source,
  name,
  inputs: [{ name: input.name, dtype: "float32", shape: input.shape }],
  outputs: [{ name: present(exits.at(-1), "the final exit").logits, dtype: "float32", shape: undefined }],
  types: new Map(),
});
