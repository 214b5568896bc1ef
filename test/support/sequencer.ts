/** @file The order of test files: the longest first, so that no process works alone at the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take more than half a minute, the longest first. All other files come behind them, in vitest's order. */
const LONGEST: readonly string[] = [
  "docs/blocks.slow",
  "docs/readme.slow",
  "playground/browser.slow",
  "docs/programs.slow",
  "node/engines/training.slow",
  "cli/process.slow",
  "studies/reference.slow",
  "training/gates/training.slow",
  "cli/zoo-train.slow",
  "docs/walks.slow",
  "attacks/universal.slow",
];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.includes(`/test/${name}.`));
  return place < 0 ? LONGEST.length : place;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
