/** @file Stores the logits of the bundled network on the bundled images, which the page reads: float32, exit after exit, [500 * classes] each.
 *  Usage: node playground/make-logits.mjs      (after npm run build) */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Forward, load, openDataset, ortNode, readImages } from "../dist/node/index.js";

const FOLDER = join(import.meta.dirname, "made");
const model = await load(join(import.meta.dirname, "../zoo/resnet20-cifar10-joint.onnx"));
const images = await readImages(await openDataset("sample"));
const forward = await Forward.compile(model, { backend: ortNode() });
const { exits } = await forward.logits(images, { batch: 50 });
await forward.release();
mkdirSync(FOLDER, { recursive: true });
writeFileSync(join(FOLDER, "logits.bin"), Buffer.concat(exits.map(({ buffer }) => Buffer.from(buffer))));
