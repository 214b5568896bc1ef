/** @file The page that scripts/browser.mjs opens: it runs the model beside it on ONNX Runtime for the web, and posts what came out. */
import { Images } from "../../src/core/images.js";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { Forward } from "../../src/dynamic/run/forward.js";
import { readModel } from "../../src/onnx/read.js";
import { ortWeb } from "../../src/web/ort-web/index.js";

async function answers(): Promise<number[][]> {
  const bytes = await (await fetch("/model.onnx")).arrayBuffer();
  const pixels = await (await fetch("/pixels.bin")).arrayBuffer();
  const model = dynamicModel(readModel(new Uint8Array(bytes)));
  const forward = await Forward.compile(model, ortWeb());
  const logits = await forward.logits(Images.for(model, new Float32Array(pixels)), { batch: 4 });
  await forward.release();
  return logits.exits.map((values) => Array.from(values));
}

const report = (body: object): Promise<Response> => fetch("/report", { method: "POST", body: JSON.stringify(body) });

answers().then(
  (logits) => report({ logits }),
  (error: unknown) => report({ error: error instanceof Error ? error.stack : String(error) }),
);
