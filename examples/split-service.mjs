/** @file A network cut in two: one half serves over HTTP, the other is the device. Then the server goes away, and the device answers alone.
 *  Usage: node examples/split-service.mjs [MODEL.onnx] [IMAGES]
 *  Without arguments: the bundled ResNet-20 with six early exits, on 40 bundled images. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDevice,
  createServer,
  exportSplit,
  load,
  openBundle,
  openDataset,
  ortNode,
  SplitClient,
} from "dynn/node";

const [path = "zoo:resnet20-joint", count = "40"] = process.argv.slice(2);

const data = await openDataset("sample");
const chosen = [...Array(Number(count)).keys()];
const images = new Float32Array(chosen.length * data.shape.reduce((a, b) => a * b, 1));
await data.read(chosen, images);

const backend = ortNode();
const model = await load(path);
const folder = await mkdtemp(join(tmpdir(), "split-"));
await exportSplit(model, folder, { backend, images });
const bundle = await openBundle(folder);

const server = await createServer(bundle, { backend });
const url = await server.listen({ host: "127.0.0.1", port: 0 });
const remote = new SplitClient(bundle.manifest, { url, deadlineMs: 10_000 });
const device = await createDevice(bundle, { backend, remote, wire: "float16" });

const show = async (what) => {
  const answers = await device.classify(images);
  const by = (place) => answers.filter((answer) => answer.place === place).length;
  const right = answers.filter(({ label }, i) => label === data.labels[i]).length;
  const bytes = answers.reduce((sum, answer) => sum + answer.bytes, 0);
  console.log(
    `${what}: ${right} of ${answers.length} right; device ${by("device")}, server ${by("server")}, fallback ${by("fallback")}; ${bytes} bytes sent`,
  );
};

await show("with the server");
await server.close();
await show("without it");
await device.release();
await rm(folder, { recursive: true });
