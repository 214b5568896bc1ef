import { describe, expect, test } from "vitest";
import { placeExits } from "../../src/dynamic/place/exits.js";
import { ARCHITECTURES, REFERENCE_EXITS } from "../../src/nn/architectures.js";
import { answers, macsOfAll, pixels, trainedElements } from "./support.js";

const CIFAR = { classes: 10, imageSize: 32 };

describe("large networks", () => {
  // VGG-16 with one linear layer: kuangliu's pytorch-cifar, 14.7 M and 313 M. WRN-32-4 lies between the 5.8 M of WRN-28-4 and the 8.9 M
  // of WRN-40-4 (Zagoruyko & Komodakis 2016, table 4): halfway, as each stage has one block more than the one and one less than the other.
  test.each([
    ["vgg16", 14.7, 313],
    ["wide-resnet-32-4", (5.8 + 8.9) / 2, 1072],
  ] as const)("%s has %d M parameters and %d M MACs, and runs", async (name, parameters, macs) => {
    const { graph } = ARCHITECTURES[name].make(CIFAR);
    expect(Math.abs(trainedElements(graph) / 1e6 - parameters)).toBeLessThan(0.06);
    expect(Math.round(macsOfAll(graph) / 1e6)).toBe(macs);
    expect((await answers(graph, pixels(1, 3, 32, 32))).logits?.every(Number.isFinite)).toBe(true);
  });

  test("exits of VGG-16 at 15 to 90 % of the cost stand where Kaya et al. put them", () => {
    const { graph } = ARCHITECTURES.vgg16.make(CIFAR);
    expect(placeExits(graph, [0.15, 0.3, 0.45, 0.6, 0.75, 0.9])).toEqual(REFERENCE_EXITS.vgg16);
  });
});
