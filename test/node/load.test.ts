import { resolve } from "node:path";
import { expect, test } from "vitest";
import { dynamicModel } from "../../src/dynamic/model/model.js";
import { load } from "../../src/node/load.js";
import { loadModel } from "../../src/node/onnx-files.js";

const PATH = resolve(import.meta.dirname, "../../zoo/resnet20-cifar10-joint.onnx");

test("load reads a file as a dynamic model, with the file's name", async () => {
  const model = await load(PATH);
  expect(model).toEqual(dynamicModel(await loadModel(PATH), { name: "resnet20-cifar10-joint" }));
  expect((await load(PATH, { name: "mine" })).name).toBe("mine");
});

test("load says which file is not there", async () => {
  await expect(load("nowhere.onnx")).rejects.toMatchObject({ code: "file/missing" });
});
