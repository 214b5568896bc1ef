/** @file The page that scripts/browser.mjs opens: it runs the model beside it on ONNX Runtime for the web, and posts what came out. */
import { Forward } from "../../src/dynamic/forward.js";
import { dynamicModel } from "../../src/dynamic/model.js";
import { readModel } from "../../src/onnx/read.js";
import { ortWeb } from "../../src/runtime/ort-web/index.js";

async function answers(): Promise<number[][]> {
  const bytes = await (await fetch("/model.onnx")).arrayBuffer();
  const pixels = await (await fetch("/pixels.bin")).arrayBuffer();
  const forward = await Forward.compile(dynamicModel(readModel(new Uint8Array(bytes))), ortWeb());
  const logits = await forward.logits(new Float32Array(pixels), { batch: 4 });
  await forward.release();
  return logits.map((values) => Array.from(values));
}

const report = (body: object): Promise<Response> => fetch("/report", { method: "POST", body: JSON.stringify(body) });

answers().then(
  (logits) => report({ logits }),
  (error: unknown) => report({ error: error instanceof Error ? error.stack : String(error) }),
);
