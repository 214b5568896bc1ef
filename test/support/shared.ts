/** @file Where the shared reference cases and data lie: `../shared` beside the checkout, or DYNN_SHARED.
 *  Tests that need them are skipped, with the reason shown, where they are absent. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const root = process.env.DYNN_SHARED ?? resolve(import.meta.dirname, "../../../shared");

/** Path inside the shared folder. */
export const shared = (path: string): string => resolve(root, path);

export const hasShared = existsSync(shared("reference/resnet20-sdn/model.onnx"));
