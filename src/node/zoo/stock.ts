/** @file Accuracy of a published file by onnxruntime-node alone. dynn's reading, rewriting and
 *  running of graphs has no part in it. */
import { type Dataset, readImages } from "../../data/dataset.js";
import { readMetadata } from "../../dynamic/model/metadata.js";
import { argmax } from "../../dynamic/route/policy.js";
import { loadModel } from "../onnx-files.js";
import { checkProvider } from "../ort-node/index.js";
import { ort } from "../ort-node/ort.js";

/** Images in one run. */
const BATCH = 100;

/** Right answers of each exit of a file, in order.
 * @throws DynnError the errors of reading the file; Error from ONNX Runtime */
export async function rightAnswers(
  path: string,
  data: Dataset,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<number[]> {
  await checkProvider("cpu");
  const { metadata } = await loadModel(path);
  const session = await ort.InferenceSession.create(path);
  const exits = readMetadata(metadata, path).exits?.map(({ logits }) => logits) ?? [...session.outputNames];
  const right = exits.map(() => 0);
  for (let from = 0; from < data.count; from += BATCH) {
    options.signal?.throwIfAborted();
    const rows = Uint32Array.from({ length: Math.min(BATCH, data.count - from) }, (_, i) => from + i);
    const { data: pixels, dims, count } = await readImages(data, rows);
    const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", pixels, [count, ...dims]) };
    const results = await session.run(feeds, exits);
    exits.forEach((name, k) => {
      const values = results[name].data as Float32Array;
      const classes = values.length / count;
      for (let i = 0; i < count; i++)
        right[k] += Number(argmax(values.subarray(i * classes, (i + 1) * classes)) === data.labels[from + i]);
    });
    options.onProgress?.(from + count, data.count);
  }
  await session.release();
  return right;
}
