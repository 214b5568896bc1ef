/** @file What dynn puts in front of a model, so that it takes RGB pixels in [0,1]: an order of
 *  channels, a scale, a normalisation. */

import { DynnError } from "../../core/errors.js";
import { fromNumbers } from "../../core/tensor.js";
import { counted } from "../../core/units.js";
import { int } from "../../graph/attributes.js";
import { GraphBuilder } from "../../graph/builder.js";
import type { Graph } from "../../graph/graph.js";
import { dropIdentities } from "../../graph/passes/drop-identities.js";
import { opTable } from "../../ops/table.js";
import type { Normalization } from "../../schema/normalization.js";
import { findNormalization, prependNormalization } from "./normalization.js";

/** Orders of the channels that a model may expect. */
export const CHANNEL_ORDERS = ["rgb", "bgr"] as const;

/** What is known of a model's input besides its file. */
export interface InputOptions {
  /** Prepend (x - mean) / std, for a model that expects normalised input. The channels are in the
   * model's order. Numbers for pixels in 0 to 255 are recognised. */
  readonly normalization?: Normalization | undefined;
  /** Prepend it also to a model that normalises its input already. */
  readonly forceNormalization?: boolean | undefined;
  /** Order of the channels that the model expects. The default is rgb. */
  readonly channels?: (typeof CHANNEL_ORDERS)[number] | undefined;
}

/** What stands in front of a model: first the order of channels, then the normalisation. */
export interface InputMaps {
  readonly normalization?: Normalization;
  /** Whether the order of the channels is reversed. */
  readonly reversed: boolean;
}

/** The maps in front of a model, and what is known of its pixels. */
export interface ModelInput {
  /** Undefined when nothing is put in front. */
  readonly maps: InputMaps | undefined;
  /** 255 when the file takes pixels in 0 to 255, so that dynn multiplies them. */
  readonly scale: 255 | undefined;
  /** Of RGB pixels in [0,1], by file and maps together. */
  readonly normalization: Normalization | undefined;
}

const TO_255 = 1 / 255;

/** Decides what is put in front of a model.
 * @param graph with types inferred and constants folded
 * @param stated the normalisation that the metadata state
 * @throws DynnError 'cli/value' for a second normalisation, or for BGR without three channels */
export function inputOf(
  graph: Graph,
  stated: Normalization | undefined,
  options: InputOptions,
  name: string,
): ModelInput {
  const found = findNormalization(dropIdentities(graph, opTable), opTable);
  const own = found ?? stated;
  const channels = graph.inputs[0]?.shape?.[1];
  const reversed = options.channels === "bgr";
  if (reversed && channels !== 3) throw notThree(name, channels);
  const scale = found && isOn255(found) ? 255 : undefined;
  const given = options.normalization && onUnit(options.normalization);
  const wanted = given && normalizationFor(given, { own, scale, name, force: options.forceNormalization === true });
  const normalization = wanted ?? (scale && found ? toBytes(found.mean.length) : undefined);
  const total = normalization && own ? after(normalization, own) : (normalization ?? own);
  return {
    maps: normalization || reversed ? { ...(normalization ? { normalization } : {}), reversed } : undefined,
    scale: wanted && !isToBytes(wanted) ? undefined : scale,
    normalization: total && reversed ? backwards(total) : total,
  };
}

const toBytes = (channels: number): Normalization => ({
  mean: new Array<number>(channels).fill(0),
  std: new Array<number>(channels).fill(TO_255),
});

/** Whether mean and std are about pixels in 0 to 255: means of photos are far above 1 there, and
 * deviations too where nothing is subtracted. A BatchNormalization of pixels in [0,1] that comes
 * first may have odd numbers, but not such large ones in all channels. */
const isOn255 = ({ mean, std }: Normalization): boolean =>
  mean.every((m) => m >= LEAST_MEAN) || std.every((s) => s >= LEAST_STD);

const LEAST_MEAN = 30;
const LEAST_STD = 40;

/** The same map for pixels in [0,1]. */
export const onUnit = (given: Normalization): Normalization =>
  isOn255(given) ? { mean: given.mean.map((m) => m / 255), std: given.std.map((s) => s / 255) } : given;

const isToBytes = ({ mean, std }: Normalization): boolean =>
  mean.every((m) => Math.abs(m) < 1e-6) && std.every((s) => Math.abs(255 * s - 1) < 1e-3);

const isNothing = ({ mean, std }: Normalization): boolean =>
  mean.every((m) => Math.abs(m) < 1e-6) && std.every((s) => Math.abs(s - 1) < 1e-6);

interface Own {
  readonly own: Normalization | undefined;
  readonly scale: 255 | undefined;
  readonly name: string;
  readonly force: boolean;
}

/** @throws DynnError 'cli/value' */
function normalizationFor(given: Normalization, { own, scale, name, force }: Own): Normalization {
  if (force || !own || isNothing(own) || (scale && isToBytes(given))) return given;
  const show = (values: readonly number[]) => values.map((v) => Number(v.toPrecision(4))).join(",");
  const pixels = scale ? "It takes pixels in 0 to 255, and dynn scales them." : "It takes pixels in [0,1].";
  throw new DynnError(
    "cli/value",
    `${name}: the model normalises its input already (mean ${show(own.mean)}, std ${show(own.std)}), and a second normalisation was given. ${pixels} Leave the normalisation out, or force it.`,
    { own, given, options: ["forceNormalization"] },
  );
}

/** `second` applied to the result of `first`. */
const after = (first: Normalization, second: Normalization): Normalization => ({
  mean: first.mean.map((m, c) => m + (first.std[c] ?? 1) * (second.mean[c] ?? 0)),
  std: first.std.map((s, c) => s * (second.std[c] ?? 1)),
});

const backwards = ({ mean, std }: Normalization): Normalization => ({
  mean: [...mean].reverse(),
  std: [...std].reverse(),
});

const notThree = (name: string, channels: unknown): DynnError =>
  new DynnError(
    "cli/value",
    `${name}: has ${typeof channels === "number" ? counted(channels, "channel") : `${String(channels)} channels`}, and the order BGR is about 3. Leave the order of channels out.`,
    { channels, options: ["channels"] },
  );

/** The graph behind the maps. Its input keeps its name.
 * @throws DynnError 'cli/value' when there is not one mean and one std per channel */
export function prependInput(graph: Graph, { normalization, reversed }: InputMaps): Graph {
  const scaled = normalization ? prependNormalization(graph, normalization) : graph;
  return reversed ? reverseChannels(scaled) : scaled;
}

function reverseChannels(graph: Graph): Graph {
  const [input] = graph.inputs;
  if (!input) return graph;
  const b = new GraphBuilder(graph);
  const order = b.constant(fromNumbers("int64", [3], [2, 1, 0]), "channels");
  const reversed = b.op("Gather", [input.name, order], { axis: int(1) }, "reversed");
  const built = b.build();
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === input.name ? reversed : name)),
  }));
  return { ...built, nodes: [...built.nodes.slice(graph.nodes.length), ...nodes] };
}
