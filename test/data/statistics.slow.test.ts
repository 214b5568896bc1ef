import { describe, expect, test } from "vitest";
import { channelStatistics } from "../../src/data/statistics.js";
import { openDataset } from "../../src/node/data/open.js";
import { unpackedCifar10 } from "../support/cifar.js";
import { hasShared } from "../support/shared.js";

describe.skipIf(!hasShared)("CIFAR-10", () => {
  const folder = unpackedCifar10();

  test("the training images have the mean and deviation that the literature gives", async () => {
    const { mean, std } = await channelStatistics(await openDataset(`cifar10:${folder}#train`));
    expect(mean.map((value) => value.toFixed(4))).toEqual(["0.4914", "0.4822", "0.4465"]);
    expect(std.map((value) => value.toFixed(4))).toEqual(["0.2470", "0.2435", "0.2616"]);
  });
});
