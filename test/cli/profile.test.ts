/** @file Wrong calls of `dynn profile`: refused before any work, with a message that says what to do. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, filesIn, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const model = join(folder, "net.onnx");
writeFileSync(model, network());
const data = npyPair(folder, "data", { count: 60 });
const before = filesIn(folder);

describe("dynn profile refuses", () => {
  it.each<[string, readonly string[], RegExp]>([
    ["an unknown rule", ["--rules", "max-softmax,luck"], /^2 .*--rules: got "luck", expected one of .*\[cli\/value\]/],
    ["a batch of none", ["--batch", "0"], /^2 .*--batch: got "0", expected a whole number of at least 1/],
    ["no rounds", ["--rounds", "0"], /^2 .*--rounds: got "0"/],
    ["a threshold that is no number", ["--thresholds", "high"], /^2 .*--thresholds: "high" is not a number/],
    [
      "a threshold out of its rule's range",
      ["--thresholds", "1.5"],
      /^2 .*threshold 1\.5: rule max-softmax takes numbers from 0 to 1.*\[policy\/value\]/,
    ],
    [
      "a batch larger than the data",
      ["--thresholds", "0.5", "--batch", "1,100"],
      /^2 .*batch: 100 is more than the 60 images/,
    ],
    [
      "to report so many that none are left to choose on",
      ["--samples", "59"],
      /^1 .*leaves 1 to choose thresholds on.*\[policy\/validation\]/,
    ],
    [
      "one file for two outputs",
      ["--json", join(folder, "x"), "--report", join(folder, "x")],
      /^2 .*both are .*\[cli\/usage\]/,
    ],
    ["a folder for a file", ["--report", folder], /^2 .*cannot be written \(it is a folder\).*\[file\/unwritable\]/],
    ["a baseline that is not there", ["--baseline", join(folder, "none.onnx")], /^2 .*none\.onnx.*\[file\/missing\]/],
  ])("%s", async (_, options, message) => {
    const { code, out, err } = await cli("profile", model, "--data", data, ...options);
    expect(out).toBe("");
    expect(`${code} ${err}`).toMatch(message);
    expect(filesIn(folder)).toEqual(before);
  });
});
