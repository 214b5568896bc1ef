import { describe, expect, test } from "vitest";
import { channelStatistics } from "../../src/data/statistics.js";
import { openDataset } from "../../src/node/data/open.js";
import { cifar10Folder, hasCifar10 } from "../support/cifar.js";

describe.skipIf(!hasCifar10)("CIFAR-10 (needs the archive: DYNN_CIFAR or ../shared)", () => {
  const folder = cifar10Folder();

  test("the training images have the mean and deviation that the literature gives", async () => {
    const { mean, std } = await channelStatistics(await openDataset(`cifar10:${folder}#train`));
    expect(mean.map((value) => value.toFixed(4))).toEqual(["0.4914", "0.4822", "0.4465"]);
    expect(std.map((value) => value.toFixed(4))).toEqual(["0.2470", "0.2435", "0.2616"]);
  });
});
