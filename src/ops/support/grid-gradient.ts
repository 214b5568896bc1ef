/** @file The gradients of GridSample in standard operators: each point read one or four pixels; dX adds what it sent to them
 *  (ScatterElements), dGrid weighs the differences between them (GatherElements). */
import { isStatic } from "../../core/shape.js";
import { int } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import { inputType, type VjpContext } from "../../graph/op.js";
import { like } from "./elementwise.js";
import { reduceSum, reshapeTo, split, zerosLike } from "./emit.js";
import { pixelMap, samplingOf } from "./grid.js";
import { noGradient } from "./known.js";
import { cast } from "./mask.js";
import { scatterAdd } from "./scatter.js";

/** One axis of the image as the points see it; values are [n, 1, points]. */
interface Along {
  readonly length: number;
  /** Pixels per unit of the grid. */
  readonly slope: number;
  readonly position: ValueName;
  /** The pixels that were read: one, or the two around the position. */
  readonly taps: readonly Tap[];
}

interface Tap {
  /** Within the image. */
  readonly index: ValueName;
  /** 1 where the pixel exists, 0 in the zeros around the image; undefined when that is everywhere. */
  readonly inside: ValueName | undefined;
  readonly weight: ValueName | undefined;
}

/** A pixel that was read at each point: its flat index in the image [n, c, points], and its factors [n, 1, points]. */
interface Corner {
  readonly index: ValueName;
  readonly row: Tap;
  readonly column: Tap;
}

interface Sizes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly points: number;
}

function sizesOf(ctx: VjpContext): Sizes {
  const [[, ...image], [, ...grid]] = [inputType(ctx, 0).shape, inputType(ctx, 1).shape];
  if (!isStatic(image) || !isStatic(grid))
    throw noGradient(ctx.node, "the image size is not known. Export the model with a fixed image size");
  return {
    channels: image[0],
    height: image[1],
    width: image[2],
    points: grid[0] * grid[1],
  };
}

const times = ({ b }: VjpContext, ...factors: readonly (ValueName | undefined)[]): ValueName =>
  factors.filter((f) => f !== undefined).reduce((product, f) => b.op("Mul", [product, f]));

function along(ctx: VjpContext, g: ValueName, length: number): Along {
  const { b, node } = ctx;
  const { align, mode, padding } = samplingOf(node);
  const { slope, shift } = pixelMap(length, align);
  const constant = (value: number) => like({ b, ctx }, value);
  const position = b.op("Add", [b.op("Mul", [g, constant(slope)]), constant(shift)]);
  const tap = (pixel: ValueName, weight: ValueName | undefined): Tap => {
    const index = b.op("Clip", [pixel, constant(0), constant(length - 1)]);
    const inside = padding === "zeros" ? cast(b, b.op("Equal", [index, pixel]), inputType(ctx, 0).dtype) : undefined;
    return { index, inside, weight };
  };
  if (mode === "nearest") return { length, slope, position, taps: [tap(b.op("Round", [position]), undefined)] };
  const low = b.op("Floor", [position]);
  const upper = b.op("Sub", [position, low]);
  const taps = [tap(low, b.op("Sub", [constant(1), upper])), tap(b.op("Add", [low, constant(1)]), upper)];
  return { length, slope, position, taps };
}

function corners(ctx: VjpContext, rows: Along, columns: Along, channels: number): readonly Corner[] {
  const { b } = ctx;
  return rows.taps.flatMap((row) =>
    columns.taps.map((column) => {
      const flat = b.op("Add", [b.op("Mul", [row.index, like({ b, ctx }, columns.length)]), column.index]);
      return { row, column, index: b.op("Expand", [cast(b, flat, "int64"), b.ints([1, channels, 1])]) };
    }),
  );
}

/** dX: what each point sent to the pixels it read, added up.
 * @param dy [n, c, points] */
function imageGradient(ctx: VjpContext, read: readonly Corner[], dy: ValueName, s: Sizes): ValueName {
  const { b, node } = ctx;
  const { shape, dtype } = inputType(ctx, 0);
  const join = (values: readonly ValueName[]) =>
    values.length === 1 ? values[0] : b.op("Concat", values, { axis: int(2) });
  const flat = scatterAdd(ctx, {
    data: reshapeTo(b, zerosLike(b, node.inputs[0], shape, dtype), [shape[0], s.channels, s.height * s.width]),
    indices: join(read.map((corner) => corner.index)),
    updates: join(read.map(({ row, column }) => times(ctx, dy, row.weight, column.weight, row.inside, column.inside))),
    axis: 2,
    along: read.length * s.points,
  });
  return reshapeTo(b, flat, shape);
}

/** dGrid of one axis: the differences across it, weighed along the other. `read` comes row by row.
 * @param pull dy times the pixel, summed over channels, for each corner */
function axisGradient(ctx: VjpContext, pull: readonly ValueName[], axis: Along, other: Along, step: number): ValueName {
  const { b, node } = ctx;
  const sides = other.taps.map((tap, k) => {
    const first = k * (3 - step);
    return times(ctx, b.op("Sub", [pull[first + step], pull[first]]), tap.weight);
  });
  const sum = b.op("Mul", [sides.reduce((a, v) => b.op("Add", [a, v])), like({ b, ctx }, axis.slope)]);
  if (samplingOf(node).padding !== "border") return sum;
  // PyTorch lets nothing through at the first pixel's position itself; at the last one the difference is zero anyway.
  return times(ctx, sum, cast(b, b.op("Greater", [axis.position, like({ b, ctx }, 0)]), inputType(ctx, 0).dtype));
}

function pointGradient(
  ctx: VjpContext,
  read: readonly Corner[],
  dy: ValueName,
  s: Sizes,
  axes: readonly [Along, Along],
): ValueName {
  const { b, node } = ctx;
  const [rows, columns] = axes;
  const [image, grid] = [inputType(ctx, 0).shape, inputType(ctx, 1).shape];
  const x = reshapeTo(b, node.inputs[0], [image[0], s.channels, s.height * s.width]);
  const pull = read.map(({ index, row, column }) => {
    const pixel = b.op("GatherElements", [x, index], { axis: int(2) });
    return times(ctx, reduceSum(b, b.op("Mul", [dy, pixel]), [1], true), row.inside, column.inside);
  });
  const parts = [axisGradient(ctx, pull, columns, rows, 1), axisGradient(ctx, pull, rows, columns, 2)];
  const shape = [...grid.slice(0, 3), 1];
  return b.op(
    "Concat",
    parts.map((part) => reshapeTo(b, part, shape)),
    { axis: int(3) },
    "grad",
  );
}

/** Gradients of the image and of the points.
 * @throws DynnError 'gradient/none' for reflection, or when a size is not known */
export function gridGradients(ctx: VjpContext, grad: ValueName): readonly (ValueName | undefined)[] {
  const { b, node } = ctx;
  const { mode, padding } = samplingOf(node);
  if (padding === "reflection")
    throw noGradient(node, 'padding_mode "reflection" has no gradient rule. Use "zeros" or "border"');
  const s = sizesOf(ctx);
  const n = inputType(ctx, 0).shape[0] as string;
  const dy = reshapeTo(b, grad, [n, s.channels, s.points]);
  const [gx, gy] = split(b, node.inputs[1], 3, [1, 1]).map((g) => reshapeTo(b, g, [n, 1, s.points])) as [
    ValueName,
    ValueName,
  ];
  const [rows, columns] = [along(ctx, gy, s.height), along(ctx, gx, s.width)];
  const read = corners(ctx, rows, columns, s.channels);
  return [
    ctx.needs(0) ? imageGradient(ctx, read, dy, s) : undefined,
    ctx.needs(1) && mode === "linear" ? pointGradient(ctx, read, dy, s, [rows, columns]) : undefined,
  ];
}
