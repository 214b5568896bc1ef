/** @file Loaded into every process of a case (node --import): keeps each model that ONNX Runtime opens, with its options.
 *  A refactoring may move all of dynn's files; what reaches ONNX Runtime stays in one place. */
import { createHash } from "node:crypto";
import { appendFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

const { DYNN_SAME_SESSIONS: folder, DYNN_SAME_ROOT: root } = process.env;

if (isMainThread) {
  const { InferenceSession } = createRequire(join(root, "package.json"))("onnxruntime-node");
  const create = InferenceSession.create.bind(InferenceSession);
  InferenceSession.create = (model, options, ...more) => {
    const hash = createHash("sha256").update(model).update(JSON.stringify(options)).digest("hex");
    writeFileSync(join(folder, `${hash}.onnx`), model);
    writeFileSync(join(folder, `${hash}.json`), JSON.stringify(options));
    appendFileSync(join(folder, "order.txt"), `${hash}\n`);
    return create(model, options, ...more);
  };
}
