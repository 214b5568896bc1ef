/** @file The page that scripts/browser.mjs opens: it runs the model beside it on ONNX Runtime for the web, and posts what came out. */
import { Forward, Images, load, ortWeb } from "../../src/web/index.js";

async function answers(): Promise<number[][]> {
  const pixels = await (await fetch("/pixels.bin")).arrayBuffer();
  const model = await load("/model.onnx");
  const forward = await Forward.compile(model, { backend: ortWeb() });
  const logits = await forward.logits(Images.for(model, new Float32Array(pixels)), { batch: 4 });
  await forward.release();
  return logits.exits.map((values) => Array.from(values));
}

const report = (body: object): Promise<Response> => fetch("/report", { method: "POST", body: JSON.stringify(body) });

answers().then(
  (logits) => report({ logits }),
  (error: unknown) => report({ error: error instanceof Error ? error.stack : String(error) }),
);
