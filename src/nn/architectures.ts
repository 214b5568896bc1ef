/** @file Every architecture by name. Read by: training's command, benchmarks, studies. */
import type { ValueName } from "../graph/graph.js";
import { mobilenet } from "./mobilenet.js";
import { msdnet } from "./msdnet.js";
import type { Architecture } from "./network.js";
import { resnet } from "./resnet.js";
import { vgg16 } from "./vgg.js";
import { wideResnet } from "./wide-resnet.js";

/** Parameters and MACs are those of ten classes and images of 3 x 32 x 32. */
export const ARCHITECTURES = {
  resnet20: { about: "ResNet-20 (He et al. 2016), 0.27 M parameters, 40.6 M MACs", make: resnet(20) },
  resnet32: { about: "ResNet-32 (He et al. 2016), 0.46 M parameters, 68.9 M MACs", make: resnet(32) },
  resnet44: { about: "ResNet-44 (He et al. 2016), 0.66 M parameters, 97.2 M MACs", make: resnet(44) },
  resnet56: { about: "ResNet-56 (He et al. 2016), 0.85 M parameters, 125.5 M MACs", make: resnet(56) },
  resnet110: { about: "ResNet-110 (He et al. 2016), 1.7 M parameters, 252.9 M MACs", make: resnet(110) },
  vgg16: { about: "VGG-16 with BatchNormalization, 14.7 M parameters, 313 M MACs", make: vgg16 },
  mobilenet: { about: "MobileNet-v1 (Howard et al. 2017), 3.2 M parameters, 46 M MACs", make: mobilenet },
  "wide-resnet-32-4": {
    about: "Wide ResNet (Zagoruyko & Komodakis 2016), 7.4 M parameters, 1.1 G MACs",
    make: wideResnet,
  },
  msdnet: { about: "small multi-scale dense network with four exits of its own (Huang et al. 2018)", make: msdnet },
} as const satisfies Record<string, { readonly about: string; readonly make: Architecture }>;

/** The name of an architecture that dynn builds. */
export type ArchitectureName = keyof typeof ARCHITECTURES;

/** Where Kaya et al. 2019 put exits, for the architectures that method.md section 2 lists. */
export const REFERENCE_EXITS = {
  vgg16: ["group0.out", "group1.out", "relu5", "group2.out", "relu8", "group3.out"],
  resnet56: [
    "stage1.block3.out",
    "stage1.block7.out",
    "stage2.block2.out",
    "stage2.block6.out",
    "stage3.block1.out",
    "stage3.block5.out",
  ],
  mobilenet: ["block2.out", "block4.out", "block6.out", "block8.out", "block11.out"],
} as const satisfies Partial<Record<ArchitectureName, readonly ValueName[]>>;
