/** @file Small random networks with the operators that exports of today's vision architectures have, shape arithmetic included, by family
 *  and opset (11 to 21). Each takes images [n,3,8,8] and gives logits [n,4]. */
import type { Graph } from "../../src/graph/graph.js";
import * as attention from "./families/attention.js";
import * as computed from "./families/computed.js";
import * as convolutional from "./families/convolutional.js";
import * as dense from "./families/dense.js";
import * as mobile from "./families/mobile.js";
import { type Draw, Net } from "./families/net.js";

const DRAWINGS: Readonly<Record<string, readonly [draw: Draw, opset: number]>> = {
  ResNet: [convolutional.resNet, 12],
  "ResNet with GroupNorm": [convolutional.groupNormNet, 15],
  "ResNet with GroupNorm at opset 21": [convolutional.groupNormNet, 21],
  "AlexNet's layers": [convolutional.classic, 13],
  Inception: [convolutional.inception, 11],
  DenseNet: [convolutional.denseNet, 11],
  ShuffleNet: [convolutional.shuffleNet, 13],
  RegNet: [convolutional.regNet, 18],
  EfficientNet: [convolutional.efficientNet, 13],
  EfficientNetV2: [convolutional.efficientNetV2, 19],
  ConvNeXt: [convolutional.convNeXt, 17],
  "ConvNeXt without LayerNormalization": [convolutional.convNeXt, 13],
  ConvNeXtV2: [convolutional.convNeXtV2, 20],
  "CSPNet with Mish": [convolutional.cspNet, 12],
  "CSPNet with Mish at opset 18": [convolutional.cspNet, 18],
  MobileNetV1: [mobile.mobileNetV1, 11],
  MobileNetV2: [mobile.mobileNetV2, 12],
  MobileNetV3: [mobile.mobileNetV3, 14],
  MobileNetV4: [mobile.mobileNetV4, 15],
  "MobileNetV4 hybrid": [mobile.mobileNetV4Hybrid, 20],
  MNASNet: [mobile.mnasNet, 17],
  "U-Net": [dense.uNet, 13],
  "U-Net at opset 19": [dense.uNet, 19],
  "U-Net of any size": [dense.uNetOfAnySize, 11],
  "DeepLab's pyramid": [dense.dilatedPyramid, 16],
  ViT: [attention.vit, 14],
  "ViT at opset 11": [attention.vit, 11],
  "ViT at opset 18": [attention.vit, 18],
  "ViT of any size": [computed.vitOfAnySize, 17],
  Swin: [attention.swin, 17],
  "Swin at opset 21": [attention.swin, 21],
  "Swin with training-mode Dropout of ratio 0": [attention.swinInTrainingMode, 17],
  "Swin with padding and mask": [computed.swinWithMask, 16],
  "Swin with padding and mask at opset 12": [computed.swinWithMask, 12],
  SwinV2: [computed.swinV2, 15],
  "token pruning": [attention.tokenPruning, 17],
  "attention by Einsum": [attention.einsumNet, 13],
  "a spatial transformer": [attention.spatialTransformer, 16],
};

export const FAMILIES: ReadonlyMap<string, () => Graph> = new Map(
  Object.entries(DRAWINGS).map(([name, [draw, opset]]) => [
    name,
    () => {
      const net = new Net(name, opset);
      const logits = draw(net, net.b.input("images", "float32", ["n", 3, 8, 8]));
      net.b.output(net.op("Identity", [logits]), "float32", ["n", 4]);
      return net.b.build();
    },
  ]),
);
