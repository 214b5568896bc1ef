import { expect, test } from "vitest";
import { NO_AUGMENTATION } from "../../../src/data/augment.js";
import { trainingStream } from "../../../src/data/batches.js";
import { openSource, prefetch } from "../../../src/node/data/prefetch.js";
import { failure } from "../../support/failure.js";
import { collect, OPTIONS, SOURCE } from "./prefetch-source.js";

test("two threads give the bytes and the order of the plain stream, across epochs", async () => {
  const plain = await collect(trainingStream(await openSource(SOURCE), OPTIONS));
  expect(plain).toHaveLength(10);
  expect(await collect(prefetch(SOURCE, { ...OPTIONS, workers: 2 }))).toEqual(plain);
});

test("options that make no sense are refused at once", () => {
  expect(() => prefetch(SOURCE, { ...OPTIONS, workers: 0 })).toThrow(
    failure(
      "cli/value",
      "prefetch: got 0 workers and 4 batches ahead, expected integers of at least 1 and 0. Use one worker when in doubt.",
    ),
  );
  expect(() => prefetch(SOURCE, { ...OPTIONS, batch: 71, augmentation: NO_AUGMENTATION })).toThrow(
    "batch: got 71 images, expected an integer from 1 to 70",
  );
});
