/** @file Networks that keep an image's size, as for segmentation: U-Net, and a pyramid of dilated convolutions. */
import { fromNumbers } from "../../../src/core/tensor.js";
import { int, ints, string } from "../../../src/graph/attributes.js";
import type { ValueName } from "../../../src/graph/graph.js";
import type { Draw, Net } from "./net.js";

export const uNet: Draw = (net, x) => {
  const skip = net.op("Relu", [net.norm(net.conv(x, 3, 4, 3), 4)]);
  const size = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
  const deep = net.op("Relu", [net.conv(net.op("MaxPool", [skip], size), 4, 6, 3)]);
  const up = net.op("ConvTranspose", [deep, net.weights([6, 3, 2, 2], 0.4)], size);
  const scales = net.b.constant(fromNumbers("float32", [4], [1, 1, 2, 2]));
  const resized = net.op("Resize", [deep, "", scales], {
    mode: string("linear"),
    coordinate_transformation_mode: string("half_pixel"),
  });
  const joined = net.op("Concat", [skip, up, resized], { axis: int(1) });
  const padded = net.op("Pad", [joined, net.b.ints([0, 0, 1, 1, 0, 0, 1, 1])], { mode: string("reflect") });
  return net.head(net.op("Relu", [net.op("Conv", [padded, net.weights([5, 13, 3, 3], 0.2)])]), 5);
};

/** The region of a Resize, which crops alone read: opsets before 13 demand it, PyTorch gives an empty one. */
const region = (net: Net): ValueName => (net.b.opset >= 13 ? "" : net.b.constant(fromNumbers("float32", [0], [])));

/** F.interpolate(x, size=like.shape[2:], mode="bilinear"): the size is computed. */
function resizedLike(net: Net, x: ValueName, like: ValueName): ValueName {
  const sizes = net.list(net.lengths(x, 0, 2), net.lengths(like, 2, 4));
  return net.op("Resize", [x, region(net), net.b.opset >= 13 ? "" : region(net), sizes], {
    mode: string("linear"),
    coordinate_transformation_mode: string("pytorch_half_pixel"),
  });
}

/** A U-Net over an odd size: each level is brought to the size of its skip. */
export const uNetOfAnySize: Draw = (net, x) => {
  const size = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
  const cut = net.op("Conv", [x, net.weights([4, 3, 2, 2], 0.3)]);
  const deep = net.op("Relu", [net.conv(net.op("MaxPool", [cut], size), 4, 6, 3)]);
  const up = net.op("Resize", [deep, region(net), net.b.constant(fromNumbers("float32", [4], [1, 1, 2, 2]))], {
    mode: string("nearest"),
    coordinate_transformation_mode: string("asymmetric"),
    nearest_mode: string("floor"),
  });
  const joined = net.op("Concat", [cut, resizedLike(net, up, cut)], { axis: int(1) });
  return net.head(net.op("Relu", [net.norm(net.conv(joined, 10, 5, 3), 5)]), 5);
};

/** Atrous spatial pyramid pooling (DeepLabV3), the pooled image spread out again. */
export const dilatedPyramid: Draw = (net, x) => {
  const stem = net.op("Relu", [net.norm(net.conv(x, 3, 4, 3, { stride: 2 }), 4)]);
  const pooled = net.op("Relu", [net.conv(net.op("GlobalAveragePool", [stem]), 4, 2, 1)]);
  const branches = [1, 2, 3].map((dilation) => net.op("Relu", [net.conv(stem, 4, 3, 3, { dilation })]));
  const joined = net.op("Concat", [...branches, resizedLike(net, pooled, stem)], { axis: int(1) });
  return net.head(resizedLike(net, net.conv(joined, 11, 4, 1), x), 4);
};
