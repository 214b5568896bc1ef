/** @file Checks the input tensors of a run, with the same messages for every backend. */
import { DynnError } from "../core/errors.js";
import { showShape } from "../core/shape.js";
import type { Graph } from "../graph/graph.js";
import type { Tensors } from "./backend.js";

/** Checks that every input is present, with the dtype and the dimensions that the graph takes.
 * @param where the backend, as messages name it
 * @returns the lengths of the graph's named dimensions
 * @throws DynnError 'runtime/run' */
export function checkFeeds(where: string, { inputs }: Pick<Graph, "inputs">, feeds: Tensors): Record<string, number> {
  const lengths: Record<string, number> = {};
  for (const { name, dtype, shape } of inputs) {
    const wanted = `${dtype}${showShape(shape)}`;
    const fed = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    if (!fed)
      throw new DynnError("runtime/run", `${where}: input "${name}" is missing. Feed ${wanted} under that name.`, {
        input: name,
      });
    shape?.forEach((d, i) => {
      if (typeof d === "string") lengths[d] ??= fed.dims[i] ?? 1;
    });
    const expected = shape?.map((d) => (typeof d === "string" ? lengths[d] : d)) ?? fed.dims;
    if (fed.dtype !== dtype || fed.dims.join() !== expected.join())
      throw new DynnError(
        "runtime/run",
        `${where}: input "${name}" is ${fed.dtype}${showShape(fed.dims)}, expected ${wanted}. Feed a tensor of that form; one name stands for one length.`,
        { input: name, got: fed.dims, expected: shape },
      );
  }
  return lengths;
}
