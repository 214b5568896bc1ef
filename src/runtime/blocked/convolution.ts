/** @file Convolutions, with their weights laid out in blocks when they run. */
import { sizeOf } from "../../core/shape.js";
import { attribute, ints } from "../../graph/attributes.js";
import type { ValueName } from "../../graph/graph.js";
import type { Layout } from "./layout.js";
import type { Rule } from "./rule.js";

/** With one group or depthwise. Images with fewer channels than a block are taken plain. */
export const conv: Rule = (l, node) => {
  const [x, w, bias = ""] = node.inputs as [ValueName, ValueName, ValueName?];
  const [outputs, perGroup, ...kernel] = l.shape(w) as number[];
  const [channels, groups] = [l.shape(x)[1], attribute(node, "group", "int") ?? 1];
  const known =
    l.shape(x).length === 4 &&
    kernel.length === 2 &&
    [outputs, channels, ...kernel].every((d) => typeof d === "number");
  if (!known || outputs % l.block !== 0 || (attribute(node, "auto_pad", "string") ?? "NOTSET") !== "NOTSET")
    return false;
  const depthwise = groups === channels && perGroup === 1 && outputs === groups;
  const thin = (channels as number) < l.block;
  if (!depthwise && groups !== 1) return false;
  if (!thin && !l.fits(x)) return false;
  const blocked = l.isBlocked(w) ? l.blocked(w) : groups === 1 && !thin ? bothBlocked(l, w) : outputsBlocked(l, w);
  l.conv(node.outputs[0] as ValueName, [thin ? l.plain(x) : l.blocked(x), blocked, bias && l.plain(bias)], {
    ...node.attributes,
    kernel_shape: ints(kernel),
  });
  return true;
};

/** W [o, i, ...k] as [o / block, i, ...k, block of o]: for few input channels, and for depthwise convolutions. */
function outputsBlocked(l: Layout, w: ValueName): ValueName {
  const [o, ...rest] = l.shape(w) as [number, ...number[]];
  return l.op("Reshape", [outputsInside(l, w, o, sizeOf(rest)), l.b.ints([o, ...rest])]);
}

/** W [o, i, ...k] as [o / block, i / block, ...k, block of i, block of o]. In two steps that move one axis each, since ONNX Runtime
 *  is slow at moving several. */
function bothBlocked(l: Layout, w: ValueName): ValueName {
  const [o, i, ...k] = l.shape(w) as [number, number, ...number[]];
  const taps = sizeOf(k);
  const inside = outputsInside(l, w, o, i * taps);
  if (taps === 1) return l.op("Reshape", [inside, l.b.ints([o, i, ...k])]);
  const split = l.op("Reshape", [inside, l.b.ints([(o * i) / l.block ** 2, l.block, taps, l.block])]);
  const turned = l.op("Transpose", [split], { perm: ints([0, 2, 1, 3]) });
  return l.op("Reshape", [turned, l.b.ints([o, i, ...k])]);
}

/** W [o, each] as [o / block, each, block of o]. */
function outputsInside(l: Layout, w: ValueName, o: number, each: number): ValueName {
  const split = l.op("Reshape", [l.plain(w), l.b.ints([o / l.block, l.block, each])]);
  return l.op("Transpose", [split], { perm: ints([0, 2, 1]) });
}
