/** @file Computes the next state of a step: parameters, running statistics, running averages. A
 *  network has hundreds of short vectors, and every node is a kernel launch. So all vectors are
 *  concatenated and updated together. Each element gets the same value as in a separate update. */
import { fromNumbers } from "../../core/tensor.js";
import { int } from "../../graph/attributes.js";
import type { GraphBuilder } from "../../graph/builder.js";
import type { Graph, ValueName } from "../../graph/graph.js";
import type { RunningStatistic } from "../../graph/op.js";
import { GATE_PARAMETER } from "../../nn/gates/index.js";
import { split } from "../../ops/support/emit.js";
import type { TrainingConfig } from "../recipe/config.js";
import { averaged, clipGradients, optimizerOf, type StepScalars } from "./optimizers.js";
import type { StateWriter } from "./state-writer.js";

/** The name of the running average of a parameter or statistic. */
export const averageOf = (name: ValueName): string => `${name}.ema`;

const shapeIn = (graph: Graph, name: ValueName): readonly number[] => graph.initializers.get(name)?.dims ?? [];

/** Puts the vectors of gates into one group, all other vectors into another, and each other value
 * into its own group. */
function groupsOf(graph: Graph, names: readonly ValueName[]): readonly (readonly ValueName[])[] {
  const isVector = (name: ValueName): boolean => shapeIn(graph, name).length === 1;
  const isGate = (name: ValueName): boolean => GATE_PARAMETER.test(name);
  const vectors = names.filter(isVector);
  const groups = [vectors.filter((name) => !isGate(name)), vectors.filter(isGate)];
  return [...names.filter((name) => !isVector(name)).map((name) => [name]), ...groups.filter((g) => g.length > 0)];
}

/** Appends nodes that compute new values from the given values, element by element. */
type Work = (values: readonly ValueName[], group: readonly ValueName[]) => readonly ValueName[];

/** Applies `work` once to each group.
 * @param valuesOf values of a name's shape
 * @returns the new values of each name */
function moved(
  { b, graph, names }: { readonly b: GraphBuilder; readonly graph: Graph; readonly names: readonly ValueName[] },
  valuesOf: (name: ValueName) => readonly ValueName[],
  work: Work,
): ReadonlyMap<ValueName, readonly ValueName[]> {
  const results = groupsOf(graph, names).flatMap((group) => {
    const values = group.map(valuesOf);
    const [first = []] = values;
    if (group.length === 1) return [[group[0], work(first, group)] as const];
    const joined = first.map((_, k) =>
      b.op(
        "Concat",
        values.map((own) => own[k]),
        { axis: int(0) },
      ),
    );
    const lengths = group.map((name) => shapeIn(graph, name)[0]);
    const parts = work(joined, group).map((value) => split(b, value, 0, lengths));
    return group.map((name, i) => [name, parts.map((part) => part[i])] as const);
  });
  return new Map(results);
}

/** The inputs of an update. */
export interface UpdateRequest {
  readonly graph: Graph;
  readonly trained: readonly ValueName[];
  readonly config: TrainingConfig;
}

/** Computes new values of the parameters and the optimizer's state. A parameter that no loss
 * depends on does not change. Parameters of gates never decay: decay would draw their scores to 0.
 * @returns the parameters that change */
export function update(
  b: GraphBuilder,
  { graph, trained, config }: UpdateRequest,
  grads: ReadonlyMap<ValueName, ValueName>,
  scalars: StepScalars,
  state: StateWriter,
): ValueName[] {
  const optimizer = optimizerOf(config.optimizer);
  const step = optimizer.begin(b, scalars);
  const reached = trained.filter((name) => grads.has(name));
  for (const name of trained) if (!grads.has(name)) state.set(name, name);
  const clipped = clippedGradients(b, reached, grads, config.clipNorm);
  const slotsOf = (param: ValueName): string[] => optimizer.slots.map((slot) => `${param}.${slot}`);
  const valuesOf = (param: ValueName): ValueName[] => [
    param,
    clipped.get(param) as ValueName,
    ...slotsOf(param).map((name) => state.slot(name, param, shapeIn(graph, param))),
  ];
  const next = moved({ b, graph, names: reached }, valuesOf, ([param = "", grad = "", ...kept], group) => {
    const decay = !GATE_PARAMETER.test(group[0]) && (config.decayAll || shapeIn(graph, group[0]).length > 1);
    const updated = step({ param, grad, state: kept, decay });
    return [updated.param, ...updated.state];
  });
  for (const param of reached)
    [param, ...slotsOf(param)].forEach((name, k) => state.set(name, next.get(param)?.[k] as ValueName));
  return reached;
}

function clippedGradients(
  b: GraphBuilder,
  names: readonly ValueName[],
  grads: ReadonlyMap<ValueName, ValueName>,
  clipNorm: number | undefined,
): ReadonlyMap<ValueName, ValueName> {
  if (clipNorm === undefined) return grads;
  const raw = names.map((name) => grads.get(name) as ValueName);
  const clipped = clipGradients(b, raw, clipNorm);
  return new Map(names.map((name, i) => [name, clipped[i]]));
}

/** new = (1 - m) * old + m * unbiased batch value (PyTorch).
 * @returns the names of the statistics */
export function runningStatistics(
  b: GraphBuilder,
  { graph, config }: Pick<UpdateRequest, "graph" | "config">,
  statistics: readonly RunningStatistic[],
  state: StateWriter,
): ValueName[] {
  const [m, known] = [config.statisticsMomentum, new Map(statistics.map((s) => [s.name, s]))];
  const of = (name: ValueName): RunningStatistic => known.get(name) as RunningStatistic;
  const names = statistics.map((s) => s.name);
  const next = moved(
    { b, graph, names },
    (name) => [name, of(name).batch],
    ([old = "", now = ""], group) => {
      const shares = group.flatMap((name) => new Array<number>(shapeIn(graph, name)[0]).fill(m * of(name).correction));
      const kept = b.op("Mul", [old, b.scalar(1 - m)]);
      return [b.op("Add", [kept, b.op("Mul", [now, b.constant(fromNumbers("float32", [shares.length], shares))])])];
    },
  );
  for (const name of names) state.set(name, next.get(name)?.[0] as ValueName);
  return names;
}

/** Running averages of all parameters and statistics of the evaluated network. */
export function averages(
  b: GraphBuilder,
  { graph, names, decay }: { readonly graph: Graph; readonly names: readonly ValueName[]; readonly decay: number },
  state: StateWriter,
): void {
  const valuesOf = (name: ValueName): ValueName[] => [
    state.slot(averageOf(name), name, shapeIn(graph, name), true),
    state.next.get(name) as ValueName,
  ];
  const next = moved({ b, graph, names }, valuesOf, ([average = "", value = ""]) => [
    averaged(b, average, value, decay),
  ]);
  for (const name of names) state.set(averageOf(name), next.get(name)?.[0] as ValueName);
}
