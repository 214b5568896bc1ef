import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
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

test("load reads a network of the zoo by its name, and a file by its URL", async () => {
  const model = await load("zoo:resnet20-joint");
  expect([model.name, model.exits.length]).toEqual(["resnet20-joint", 7]);
  expect((await load(pathToFileURL(PATH))).graph).toEqual(model.graph);
});

test("load guesses a forgotten zoo:, and names what is no path", async () => {
  await expect(load("resnet20-joint")).rejects.toThrow(
    "resnet20-joint: there is no such file. Did you mean zoo:resnet20-joint? Check the path. [file/missing]",
  );
  await expect(load(undefined as unknown as string)).rejects.toMatchObject({ code: "call/argument" });
});

test("load says which file is not there", async () => {
  await expect(load("nowhere.onnx")).rejects.toMatchObject({ code: "file/missing" });
});
