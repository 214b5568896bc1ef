/** @file Files of the reference cases in test/fixtures/reference: networks from PyTorch, with answers that PyTorch computed. */
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const folder = new URL("../fixtures/reference/", import.meta.url);

/** The folders of `gradients/`, one for each network. */
export const GRADIENT_CASES: readonly string[] = readdirSync(new URL("gradients/", folder), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/** The bytes of a file, e.g. referenceFile("resnet20-sdn/model.onnx"). */
export const referenceFile = (path: string): Buffer => gunzipSync(readFileSync(new URL(`${path}.gz`, folder)));
