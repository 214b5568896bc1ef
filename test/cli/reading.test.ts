/** @file Tables, reports and records say how the file was read: what dynn changed, and the scale of
 *  pixels. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { calibrationTables } from "../../src/cli/calibrate/tables.js";
import { inMemory } from "../../src/data/dataset.js";
import { ortNode } from "../../src/node/ort-node/index.js";
import { renderCalibration } from "../../src/report/calibration/page.js";
import { calibrateModel } from "../../src/studies/calibration/index.js";
import { samplesOf, smallExits } from "../support/models.js";
import { cli, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const CASES = join(import.meta.dirname, "../fixtures/cases");
const DATA = `npy:${CASES}/shared/x.npy,${CASES}/shared/y.npy`;
const BYTES = 'The input "image" is uint8.';
const SCALE = "The file takes pixels in 0 to 255, and dynn multiplies by 255.";
const html = (text: string): string => text.replaceAll('"', "&quot;");

test.each([
  ["audit", ["--attacks", "fgsm", "--radii", "0"]],
  ["profile", ["--batch", "1", "--rounds", "1"]],
])("%s", async (command, options) => {
  for (const [file, said] of [
    ["16-float16-uint8/uint8_nchw.onnx", BYTES],
    ["05-model-wants-0-255/float255.onnx", SCALE],
  ] as const) {
    const [json, report] = [join(folder, "r.json"), join(folder, "r.html")];
    const argv = ["--data", DATA, "--samples", "4", ...options, "--json", json, "--report", report];
    const { code, out } = await cli(command, join(CASES, file), ...argv);
    expect([code, out.includes(said)]).toEqual([0, true]);
    expect(readFileSync(report, "utf8")).toContain(html(said));
    const { model } = JSON.parse(readFileSync(json, "utf8"));
    expect(said === BYTES ? model.changes?.[0] : model.inputScale).toEqual(
      said === BYTES ? expect.stringContaining(BYTES) : 255,
    );
  }
});

test("calibrate", async () => {
  const model = { ...smallExits(), changes: [BYTES], inputScale: 255 } as const;
  const some = await samplesOf(model, 40);
  const data = (from: number) => {
    const part = some.slice(from, from + 20);
    const labels = Int32Array.from(part, (s) => s.label);
    const pixels = Float32Array.from(part.flatMap((s) => [...s.pixels]));
    return inMemory({ name: `d${from}`, shape: [3, 8, 8], classes: undefined, labels }, pixels);
  };
  const { record } = await calibrateModel({
    ...{ model, backend: ortNode(), validation: data(0), test: data(20), rule: "max-softmax", fallback: "final" },
    ...{ target: { kind: "rad", loss: 0.1 }, thresholds: "uniform", temperature: false, seed: 0, batch: 20 },
    ...{ version: "test", now: () => 0 },
  });
  expect(record.model).toMatchObject({ changes: [BYTES], inputScale: 255 });
  for (const said of [BYTES, SCALE]) {
    expect(calibrationTables(record)).toContain(said);
    expect(renderCalibration(record)).toContain(html(said));
  }
});
