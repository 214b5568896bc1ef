/** @file Bad input of every kind: one message that says what to do, the right exit code, nothing
 *  written. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromNumbers } from "../../src/core/tensor.js";
import { writeNpy } from "../../src/data/npy.js";
import { GraphBuilder } from "../../src/graph/builder.js";
import { emptyGraph } from "../../src/graph/op.js";
import { writeModel } from "../../src/onnx/write.js";
import { cli, filesIn, network, npyPair, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const results = join(folder, "results");
const at = (name: string): string => join(folder, name);
const put = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(at(name), bytes);
  return at(name);
};

const model = put("net.onnx", network());
const data = npyPair(folder, "good", { count: 80 });
const [x, y] = data.slice("npy:".length).split(",") as [string, string];

/** A message without its last newline and without the folder, so that it reads the same
 * everywhere. */
const told = (err: string): string => err.slice(0, -1).replaceAll(`${folder}/`, "").replaceAll(folder, "FOLDER");

/** Audit into the results folder. */
async function refused(code: number, ...argv: string[]): Promise<string> {
  const ran = await cli(...argv, "--json", join(results, "audit.json"), "--report", join(results, "report.html"));
  expect(ran.out).toBe("");
  expect(ran.code).toBe(code);
  expect(ran.err.endsWith("]\n")).toBe(true);
  return told(ran.err);
}

beforeEach(() => mkdirSync(results, { recursive: true }));
afterEach(() => {
  const written = filesIn(results);
  rmSync(results, { recursive: true });
  expect(written, "nothing is written").toEqual([]);
});

/** The smallest graph around some nodes: image [n,3,8,8] in. */
function graphOf(make: (b: GraphBuilder) => void): Uint8Array {
  const b = new GraphBuilder(emptyGraph("bad", 17));
  make(b);
  return writeModel({ graph: b.build() });
}
const image = (b: GraphBuilder): string => b.input("image", "float32", ["n", 3, 8, 8]);

describe("a model", () => {
  it("that is cut off is refused", async () => {
    const bad = put("bad.onnx", network().subarray(0, 700));
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: bad.onnx: 700 bytes that are not a whole ONNX model (premature EOF). The file may be cut off or damaged; get it again. [model/parse]"`,
    );
  });

  it("of random bytes is refused", async () => {
    const bad = put(
      "bad.onnx",
      Uint8Array.from({ length: 300 }, (_, i) => (i * 7919 + 13) % 251),
    );
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: bad.onnx: 300 bytes that are not a whole ONNX model (premature EOF). The file may be cut off or damaged; get it again. [model/parse]"`,
    );
  });

  it("of no bytes is refused", async () => {
    const bad = put("bad.onnx", new Uint8Array(0));
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: bad.onnx: the file is empty (0 bytes). Give an ONNX model. [model/parse]"`,
    );
  });

  it("that is a ZIP archive is called one", async () => {
    const bad = put("bad.onnx", "PK\x03\x04 and so on");
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: bad.onnx: not an ONNX model, but a ZIP archive (a PyTorch .pt or Keras .keras file is one); export the model to ONNX first. [model/parse]"`,
    );
  });

  it("that is a folder is refused", async () => {
    expect(await refused(2, "audit", folder, "--data", data)).toMatchInlineSnapshot(
      `"error: FOLDER: cannot be read (it is a folder, expected a plain file). Give a file that you may read. [file/unreadable]"`,
    );
  });

  it("that is not there is refused", async () => {
    expect(await refused(2, "audit", at("nowhere.onnx"), "--data", data)).toMatchInlineSnapshot(
      `"error: nowhere.onnx: there is no such file. Check the path. [file/missing]"`,
    );
  });

  it("that the zoo does not have is refused with those it has", async () => {
    expect(await refused(2, "audit", "zoo:resnet", "--data", data)).toMatchInlineSnapshot(
      `"error: zoo:resnet: the zoo has no network of this name. Did you mean zoo:resnet20-joint or zoo:resnet20-static or zoo:resnet56-joint? Choose from resnet20-joint, resnet20-static, resnet56-joint, resnet20-cifar10-joint, resnet20-cifar10-static, resnet56-cifar10-joint, resnet20-cifar10-gates, resnet56-cifar10-gates, resnet20-cifar10-adversarial, see \`dynn zoo list\` for all 122, or give the path of an ONNX file. [zoo/unknown]"`,
    );
  });

  it("with an unknown operator is refused", async () => {
    const bad = put(
      "bad.onnx",
      graphOf((b) => {
        b.append({ opType: "Swirl", domain: "", name: "s1", inputs: [image(b)], outputs: ["y"], attributes: {} });
        b.output("y", "float32", ["n", 4]);
      }),
    );
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: Swirl "s1": dynn does not know the operator Swirl. Export with standard ONNX operators; https://github.com/dynn-project/dynn/blob/main/docs/ops.md lists those that dynn knows. [model/op]"`,
    );
  });

  it("with an operator of another domain is refused", async () => {
    const bad = put(
      "bad.onnx",
      graphOf((b) => {
        const node = {
          opType: "FusedConv",
          domain: "com.microsoft",
          name: "f",
          inputs: [image(b)],
          outputs: ["y"],
          attributes: {},
        };
        b.append(node);
        b.output("y", "float32", ["n", 4]);
      }),
    );
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: FusedConv "f": dynn does not know the operator FusedConv of domain "com.microsoft". Export with standard ONNX operators; https://github.com/dynn-project/dynn/blob/main/docs/ops.md lists those that dynn knows. [model/op]"`,
    );
  });

  it("that takes no image is refused", async () => {
    const bad = put(
      "bad.onnx",
      graphOf((b) => b.output(b.op("Relu", [b.input("x", "float32", ["n", 12])], {}, "y"), "float32", ["n", 12])),
    );
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: bad.onnx: inputs are x float32[n,12]; expected [n,channels,height,width], got 2 axes. Export the model with an image input. [model/input]"`,
    );
  });

  it("that takes bytes is refused", async () => {
    const bad = put(
      "bad.onnx",
      graphOf((b) => b.output(b.op("Flatten", [b.input("x", "uint8", ["n", 3, 8, 8])], {}, "y"), "uint8", ["n", 192])),
    );
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: bad.onnx: input "x" is uint8, and output "y" computes with the bytes. dynn reads uint8 inputs that a Cast or DequantizeLinear turns into floats first. Give the model with a float32 input. [model/input]"`,
    );
  });

  it("without a classifier's output is refused", async () => {
    const bad = put(
      "bad.onnx",
      graphOf((b) => b.output(b.op("Relu", [image(b)], {}, "y"), "float32", ["n", 3, 8, 8])),
    );
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: bad.onnx: no output is a classifier's, float32 [n,classes]: y float32[n,3,8,8] has 4 axes. Export the logits, one row per image, with a dynamic batch. [model/classifier]"`,
    );
  });

  it("whose shapes do not fit is refused", async () => {
    const bad = put(
      "bad.onnx",
      graphOf((b) => {
        const w = b.constant(fromNumbers("float32", [100, 4], new Float32Array(400)), "w");
        b.output(b.op("Gemm", [b.op("Flatten", [image(b)]), w], {}, "y"), "float32", ["n", 4]);
      }),
    );
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: Gemm "y": A gives 192 features but B expects 100 (A [n,192], B [100,4]). Make them equal. [shape/mismatch]"`,
    );
  });

  it("whose answer does not depend on the image in a way that has a gradient is refused", async () => {
    const bad = put(
      "bad.onnx",
      graphOf((b) => {
        const flat = b.op("Flatten", [b.op("Floor", [image(b)])]);
        const w = b.constant(fromNumbers("float32", [192, 4], new Float32Array(768)), "w");
        b.output(b.op("Gemm", [flat, w], {}, "y"), "float32", ["n", 4]);
      }),
    );
    expect(await refused(1, "audit", bad, "--data", data, "--attacks", "fgsm")).toMatchInlineSnapshot(
      `"error: gradient of "dynn_loss": its path to "image" ends at Floor "floor": its gradient is zero everywhere. Give a model without this operator, or audit this one with the attacks "none" (--attacks). [gradient/none]"`,
    );
  });

  it("whose metadata are wrong is refused", async () => {
    const bad = put(
      "bad.onnx",
      network({ policy: { rule: "loudest" as "margin", thresholds: [0.5], fallback: "final" } }),
    );
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: bad.onnx: metadata "dynn.policy" is wrong: at rule, Invalid option: expected one of "max-softmax"|"entropy"|"margin"|"patience". Write the model again with dynn, or remove the key to read it by convention. [model/metadata]"`,
    );
  });

  it("for images of another size is refused", async () => {
    const bad = put("bad.onnx", network({ size: 16 }));
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: npy:good-x.npy: images are [3,8,8] but bad.onnx takes [3,16,16]. Give images of that size (folder:DIR without ?size resizes). [data/shape]"`,
    );
  });

  it("for fewer classes than the labels have is refused", async () => {
    const bad = put("bad.onnx", network({ classes: 3 }));
    expect(await refused(1, "audit", bad, "--data", data)).toMatchInlineSnapshot(
      `"error: npy:good-x.npy: record 3 has label 3, expected an integer from 0 to 2. Give labels that number the classes from 0, as the model does. [data/label]"`,
    );
  });
});

describe("data", () => {
  it("in no known form are refused", async () => {
    expect(await refused(2, "audit", model, "--data", "mnist:somewhere")).toMatchInlineSnapshot(`
      "error: data "mnist:somewhere": is not a data spec. Write one of:
        cifar10:DIR or cifar10:DIR#train (e.g. cifar10:data/cifar-10-batches-bin)
        cifar100:DIR or cifar100:DIR#train (e.g. cifar100:data/cifar-100-binary)
        folder:DIR, folder:DIR?fit=crop|pad|stretch or folder:DIR?size=WIDTHxHEIGHT (e.g. folder:photos)
        npy:IMAGES,LABELS (e.g. npy:x.npy,y.npy)
        sample (e.g. sample:cifar10)
       [data/spec]"
    `);
  });

  it("in a file that is not there are refused", async () => {
    expect(await refused(2, "audit", model, "--data", `npy:${at("no.npy")},${y}`)).toMatchInlineSnapshot(
      `"error: no.npy: does not exist. Check the path. [data/missing]"`,
    );
  });

  it("in a folder that is not there are refused", async () => {
    expect(await refused(2, "audit", model, "--data", `folder:${at("nowhere")}`)).toMatchInlineSnapshot(
      `"error: nowhere: does not exist. Check the path. [data/missing]"`,
    );
  });

  it("in a folder without images are refused", async () => {
    mkdirSync(at("empty"));
    expect(await refused(2, "audit", model, "--data", `folder:${at("empty")}`)).toMatchInlineSnapshot(
      `"error: folder:empty: no images in its 0 sub-folders. Give a folder with one sub-folder of .png .jpg .jpeg .jfif .webp .gif .tif .tiff .avif .bmp .ppm .pgm files for each class. [data/missing]"`,
    );
  });

  it("without CIFAR-10 files are refused", async () => {
    expect(await refused(2, "audit", model, "--data", `cifar10:${folder}`)).toMatchInlineSnapshot(
      `"error: cifar10:FOLDER: there is no test_batch.bin in this folder or in its cifar-10-batches-bin. Give the folder of the unpacked binary archive. [data/missing]"`,
    );
  });

  it("in a CIFAR-10 file that is cut off are refused", async () => {
    put("test_batch.bin", new Uint8Array(3073 * 2 - 5));
    expect(await refused(1, "audit", model, "--data", `cifar10:${folder}`)).toMatchInlineSnapshot(
      `"error: test_batch.bin: got 6141 bytes, expected a multiple of 3073 (1 for labels, 3072 for pixels), at least one. Download or unpack the file again. [data/truncated]"`,
    );
  });

  it("in a CIFAR-10 file of no bytes are refused", async () => {
    put("test_batch.bin", "");
    expect(await refused(1, "audit", model, "--data", `cifar10:${folder}`)).toMatchInlineSnapshot(
      `"error: test_batch.bin: got 0 bytes, expected a multiple of 3073 (1 for labels, 3072 for pixels), at least one. Download or unpack the file again. [data/truncated]"`,
    );
  });

  it("with a CIFAR-10 label of 200 are refused", async () => {
    put("test_batch.bin", new Uint8Array(3073 * 2).fill(200, 3073, 3074));
    expect(await refused(1, "audit", model, "--data", `cifar10:${folder}`)).toMatchInlineSnapshot(
      `"error: test_batch.bin: record 1 has label 200, expected an integer from 0 to 9. Give labels that number the classes from 0, as the model does. [data/label]"`,
    );
  });

  it("with a pixel that is not a number are refused", async () => {
    const pixels = new Float32Array(192 * 2).fill(0.5);
    pixels[200] = Number.NaN;
    const bad = put("nan.npy", writeNpy(fromNumbers("float32", [2, 3, 8, 8], pixels)));
    const labels = put("two.npy", writeNpy(fromNumbers("int64", [2], [0, 1])));
    expect(await refused(1, "audit", model, "--data", `npy:${bad},${labels}`)).toMatchInlineSnapshot(
      `"error: nan.npy: record 1 has a pixel of NaN, expected 0 to 1. Scale the images to [0,1]; normalisation belongs inside the model. [data/value]"`,
    );
  });

  it("with a label below 0 are refused", async () => {
    const labels = put("minus.npy", writeNpy(fromNumbers("int64", [80], new Float64Array(80).fill(-1, 7, 8))));
    expect(await refused(1, "audit", model, "--data", `npy:${x},${labels}`)).toMatchInlineSnapshot(
      `"error: minus.npy: record 7 has label -1, expected an integer from 0 to 2147483647. Give labels that number the classes from 0, as the model does. [data/label]"`,
    );
  });

  it("in a .npy file that is cut off are refused", async () => {
    const bad = put("cut.npy", readFileSync(x).subarray(0, 5000));
    expect(await refused(1, "audit", model, "--data", `npy:${bad},${y}`)).toMatchInlineSnapshot(
      `"error: cut.npy: got 4872 bytes of elements, expected 61440. Save the array again. [data/truncated]"`,
    );
  });

  it("in a file that is no .npy are refused", async () => {
    expect(await refused(1, "audit", model, "--data", `npy:${model},${y}`)).toMatchInlineSnapshot(
      `"error: net.onnx: got no .npy header, expected a NumPy file of version 1 to 3. Save a plain numeric array with numpy.save. [data/format]"`,
    );
  });

  it("with as many labels as images only by name are refused", async () => {
    const labels = put("two.npy", writeNpy(fromNumbers("int64", [2], [0, 1])));
    expect(await refused(1, "audit", model, "--data", `npy:${x},${labels}`)).toMatchInlineSnapshot(
      `"error: two.npy: got shape [2], expected labels [80], one for each image. Give arrays that belong together. [data/shape]"`,
    );
  });

  it("in a folder that is named as a file are refused", async () => {
    expect(await refused(2, "audit", model, "--data", `npy:${folder},${y}`)).toMatchInlineSnapshot(
      `"error: FOLDER: cannot be read (it is a folder, expected a plain file). Check its kind and permissions. [file/unreadable]"`,
    );
  });
});

describe("an attack file", () => {
  const attacks = (content: unknown): Promise<string> =>
    refused(
      2,
      "audit",
      model,
      "--data",
      data,
      "--attack-file",
      put("attacks.json", typeof content === "string" ? content : JSON.stringify(content)),
    );
  const pgd = { name: "pgd", objective: "misclassify:final", optimizer: "pgd", radius: "8/255" };

  it("that is not JSON is refused", async () => {
    expect(await attacks("[{name: pgd}]")).toMatchInlineSnapshot(
      `"error: attacks.json: is not JSON (Expected property name or '}' in JSON at position 2). Check commas and quotes. [attack/config]"`,
    );
  });

  it("that is empty is refused", async () => {
    expect(await attacks("")).toMatchInlineSnapshot(
      `"error: attacks.json: is not JSON (Unexpected end of JSON input). Check commas and quotes. [attack/config]"`,
    );
  });

  it("without attacks is refused", async () => {
    expect(await attacks([])).toMatchInlineSnapshot(
      `"error: attacks.json: Too small: expected array to have >=1 items. Write an array of attacks like [{"name": "pgd", "goal": "misclassify:final", "method": "pgd", "norm": "linf", "radius": "8/255", "steps": 20}]. [attack/config]"`,
    );
  });

  it("that is no list is refused", async () => {
    expect(await attacks(pgd)).toMatchInlineSnapshot(
      `"error: attacks.json: Invalid input: expected array, received object. Write an array of attacks like [{"name": "pgd", "goal": "misclassify:final", "method": "pgd", "norm": "linf", "radius": "8/255", "steps": 20}]. [attack/config]"`,
    );
  });

  it("with an unknown field is refused", async () => {
    expect(await attacks([{ ...pgd, stepsize: "1/255" }])).toMatchInlineSnapshot(
      `"error: attacks.json at [0], attack "pgd": misclassify:final with pgd has no parameter "stepsize". Write "stepSize" in its place; it takes gates, goal, iterate, kappa, loss, method, name, norm, radius, randomStart, restarts, samples, stepSize, steps, target. [attack/config]"`,
    );
  });

  it("with an unknown objective is refused", async () => {
    expect(await attacks([{ ...pgd, objective: "confuse" }])).toMatchInlineSnapshot(
      `"error: attacks.json at [0], attack "pgd": goal "confuse" is not known. Choose from misclassify:final, misclassify:K, average, max, routed, early:published, early:margin, slowdown, early:minimum, speed-up. [attack/config]"`,
    );
  });

  it("with an unknown optimizer is refused", async () => {
    expect(await attacks([{ ...pgd, optimizer: "lbfgs" }])).toMatchInlineSnapshot(
      `"error: attacks.json at [0], attack "pgd": "lbfgs" is not the name of a method. Choose from fgsm, pgd, adam-tanh, bim, mim, nim, sim, sini, vmi, vni, rfgsm, ffgsm, dim, tim, tpgd, jitter, eot-pgd, slide, sign-noise, uniform-noise, gaussian-noise, salt-and-pepper, gaussian-blur, contrast, rotate-translate, deepfool, ddn, fmn, apgd-ce, apgd-dlr, apgd-t, square, fab, fab-t, autoattack, autoattack-dynamic, hopskipjump, universal-pgd, class-universal, nes, spsa, cost-walk, boundary, simba, uap, geoda, shrinking, patch, cw, ead, jsma, one-pixel, pixle, sparsefool, brendel-bethge, ilfo, gradauto, gradmdm. [attack/config]"`,
    );
  });

  it("with an exit that the model does not have is refused", async () => {
    expect(await attacks([{ ...pgd, objective: "misclassify:9" }])).toMatchInlineSnapshot(
      `"error: goal misclassify:9: the model has exits 0 to 2. Name one of them, or "final". [attack/config]"`,
    );
  });

  it("with a radius that is no number is refused", async () => {
    expect(await attacks([{ ...pgd, radius: "8/pixels" }])).toMatchInlineSnapshot(
      `"error: attack "pgd", radius: "8/pixels" is not a number. Write a number (0.03), a fraction (8/255) or a percentage (5%). [cli/value]"`,
    );
  });

  it("with a negative radius is refused", async () => {
    expect(await attacks([{ ...pgd, radius: -1 }])).toMatchInlineSnapshot(
      `"error: attacks.json at [0], attack "pgd", radius: got -1, expected 0 to 1: pixels lie in [0,1], and no two images are farther apart in linf. Write a fraction such as "8/255". [attack/config]"`,
    );
  });

  it("without the radius that its optimizer needs is refused", async () => {
    expect(await attacks([{ name: "pgd", objective: "misclassify:final", optimizer: "pgd" }])).toMatchInlineSnapshot(
      `"error: attack "pgd": pgd needs a radius. Add one in pixel units, e.g. "radius": "8/255". [attack/config]"`,
    );
  });

  it("with a parameter that the attack has no use for is refused", async () => {
    expect(await attacks([{ ...pgd, alpha: 0.1 }])).toMatchInlineSnapshot(
      `"error: attacks.json at [0], attack "pgd": misclassify:final with pgd has no parameter "alpha". Write "stepSize" in its place; it takes gates, goal, iterate, kappa, loss, method, name, norm, radius, randomStart, restarts, samples, stepSize, steps, target. [attack/config]"`,
    );
  });

  it("with two attacks of one name is refused", async () => {
    expect(await attacks([pgd, { ...pgd, steps: 5 }])).toMatchInlineSnapshot(
      `"error: attacks.json: two attacks are named "pgd". Give each its own name. [attack/config]"`,
    );
  });

  it("with half a step is refused", async () => {
    expect(await attacks([{ ...pgd, steps: 2.5 }])).toMatchInlineSnapshot(
      `"error: attack "pgd", steps: got 2.5, expected a whole number of at least 1. Correct the value. [attack/config]"`,
    );
  });

  it("that is not there is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--attack-file", at("no.json"))).toMatchInlineSnapshot(
      `"error: no.json: there is no such file. Check the path. [file/missing]"`,
    );
  });

  it("that is a folder is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--attack-file", folder)).toMatchInlineSnapshot(
      `"error: FOLDER: cannot be read (it is a folder, expected a plain file). Give a file that you may read. [file/unreadable]"`,
    );
  });
});

describe("an option", () => {
  it("--samples 0 is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--samples", "0")).toMatchInlineSnapshot(
      `"error: --samples: got "0", expected a whole number of at least 1. Write e.g. --samples 100. [cli/value]"`,
    );
  });

  it("--samples many is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--samples", "many")).toMatchInlineSnapshot(
      `"error: --samples: got "many", expected a whole number of at least 1. Write e.g. --samples 100. [cli/value]"`,
    );
  });

  it("--seed -1 is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--seed", "-1")).toMatchInlineSnapshot(
      `"error: --seed: got "-1", expected a whole number of at least 0. Write e.g. --seed 0. [cli/value]"`,
    );
  });

  it("--batch 1.5 is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--batch", "1.5")).toMatchInlineSnapshot(
      `"error: --batch: got "1.5", expected a whole number of at least 1. Write e.g. --batch 64. [cli/value]"`,
    );
  });

  it("--threads 0 is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--threads", "0")).toMatchInlineSnapshot(
      `"error: --threads: got "0", expected a whole number of at least 1. Write e.g. --threads 2. [cli/value]"`,
    );
  });

  it("--eps 8 is refused, for 8/255 was meant", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--eps", "8")).toMatchInlineSnapshot(
      `"error: --eps: got "8", expected a radius from 0 to 1, as pixels lie in [0,1]. Write a fraction such as 8/255. [cli/value]"`,
    );
  });

  it("--radii with a word in it is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--radii", "1/255,wide")).toMatchInlineSnapshot(
      `"error: --radii: "wide" is not a number. Write a number (0.03), a fraction (8/255) or a percentage (5%). [cli/value]"`,
    );
  });

  it("--radii with nothing in it is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--radii", "")).toMatchInlineSnapshot(
      `"error: --radii: "" is not a number. Write a number (0.03), a fraction (8/255) or a percentage (5%). [cli/value]"`,
    );
  });

  it("--attacks with an unknown name is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--attacks", "pgd,pdg")).toMatchInlineSnapshot(
      `"error: attacks: "pdg" is not the name of an attack. Did you mean pgd? Choose from fgsm, pgd, pgd-l2, cw, routed, average, max, early, early-published, slowdown, slowdown-l1, ilfo, ilfo-linf, gradauto, gradauto-linf, gradmdm, gradmdm-linf, all, none, or a method that \`dynn attacks\` lists; or write your own in an attack file (--attacks, --attack-file). [cli/value]"`,
    );
  });

  it("--attacks beside --attack-file is refused", async () => {
    expect(
      await refused(2, "audit", model, "--data", data, "--attacks", "pgd", "--attack-file", at("attacks.json")),
    ).toMatchInlineSnapshot(
      `"error: dynn audit: option '--attack-file <file>' cannot be used with option '--attacks <list>'. Run \`dynn audit --help\` to see its arguments and options. [cli/usage]"`,
    );
  });

  it("--rule with an unknown rule is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--rule", "loudest")).toMatchInlineSnapshot(
      `"error: --rule: got "loudest", expected one of max-softmax, entropy, margin, patience. Write e.g. --rule max-softmax. [cli/value]"`,
    );
  });

  it("--fallback with an unknown fallback is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--fallback", "first")).toMatchInlineSnapshot(
      `"error: --fallback: got "first", expected one of final, most-confident. Write e.g. --fallback final. [cli/value]"`,
    );
  });

  it("--threshold above its rule's range is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--threshold", "1.5")).toMatchInlineSnapshot(
      `"error: threshold 1.5: rule max-softmax takes numbers from 0 to 1. Choose one in that range, write never for an exit that must not fire, or let dynn choose (--threshold). [policy/value]"`,
    );
  });

  it("--threshold above the largest entropy is refused", async () => {
    expect(
      await refused(2, "audit", model, "--data", data, "--rule", "entropy", "--threshold", "1.5"),
    ).toMatchInlineSnapshot(
      `"error: threshold 1.5: rule entropy takes numbers from 0 to 1.3863. Choose one in that range, write never for an exit that must not fire, or let dynn choose (--threshold). [policy/value]"`,
    );
  });

  it("--threshold with half an exit of patience is refused", async () => {
    expect(
      await refused(2, "audit", model, "--data", data, "--rule", "patience", "--threshold", "1.5"),
    ).toMatchInlineSnapshot(
      `"error: threshold 1.5: rule patience takes a whole number of exits, 1 or more. Choose one in that range, write never for an exit that must not fire, or let dynn choose (--threshold). [policy/value]"`,
    );
  });

  it("--threshold with a wrong number of thresholds is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--threshold", "0.9,0.8,0.7")).toMatchInlineSnapshot(
      `"error: thresholds: got 3, expected 1 or 2 (one per early exit). List one number, or one per early exit. [policy/value]"`,
    );
  });

  it("--threshold with a word is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--threshold", "high")).toMatchInlineSnapshot(
      `"error: --threshold: got "high", expected numbers, never, keep:SHARE, rad:SHARE, drop:POINTS or budget:SHARE. Write e.g. --threshold 0.8 or --threshold keep:95%. [cli/value]"`,
    );
  });

  it("--threshold with an unknown goal is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--threshold", "cost:50%")).toMatchInlineSnapshot(
      `"error: --threshold: got "cost:50%", expected numbers, never, keep:SHARE, rad:SHARE, drop:POINTS or budget:SHARE. Write e.g. --threshold 0.8 or --threshold keep:95%. [cli/value]"`,
    );
  });

  it("--threshold rad:150% is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--threshold", "rad:150%")).toMatchInlineSnapshot(
      `"error: --threshold: got "rad:150%", expected a share above 0 and up to 100 %. Write e.g. --threshold rad:5%. [cli/value]"`,
    );
  });

  it("--threshold budget: is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--threshold", "budget:")).toMatchInlineSnapshot(
      `"error: --threshold: got "budget:", expected numbers, never, keep:SHARE, rad:SHARE, drop:POINTS or budget:SHARE. Write e.g. --threshold 0.8 or --threshold keep:95%. [cli/value]"`,
    );
  });

  it("--threshold budget:1% is refused when the first exit costs more", async () => {
    expect(
      await refused(1, "audit", model, "--data", data, "--threshold", "budget:1%", "--samples", "20"),
    ).toMatchInlineSnapshot(
      `"error: calibration: no threshold of rule max-softmax keeps the mean cost at 1.0 % of the full network; the cheapest path costs 20.0 %. Allow a larger budget. [policy/validation]"`,
    );
  });

  it("--mean without --std is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--mean", "0.5,0.5,0.5")).toMatchInlineSnapshot(
      `"error: --mean and --std: got 0.5,0.5,0.5 and no std, expected both, of equal length, with every std at least 0.000001. Write e.g. --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225. [cli/usage]"`,
    );
  });

  it("--std with a zero is refused", async () => {
    expect(
      await refused(2, "audit", model, "--data", data, "--mean", "0.5,0.5,0.5", "--std", "0.2,0,0.2"),
    ).toMatchInlineSnapshot(
      `"error: --mean and --std: got 0.5,0.5,0.5 and 0.2,0,0.2, expected both, of equal length, with every std at least 0.000001. Write e.g. --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225. [cli/usage]"`,
    );
  });

  it("--mean for two channels of three is refused", async () => {
    expect(
      await refused(2, "audit", model, "--data", data, "--mean", "0.5,0.5", "--std", "0.2,0.2"),
    ).toMatchInlineSnapshot(
      `"error: normalisation: got 2 means and 2 standard deviations, expected 3 of each, one per channel. Give as many as the model's input has channels. [cli/value]"`,
    );
  });

  it("--samples that leave too few records to choose thresholds on is refused", async () => {
    expect(await refused(1, "audit", model, "--data", data, "--samples", "60")).toMatchInlineSnapshot(
      `"error: npy:good-x.npy: 60 of 80 records are reported, which leaves 20 to choose thresholds on, expected at least 50. Report at most 30 records, or give the thresholds (--samples, --threshold). [policy/validation]"`,
    );
  });

  it("--validation with the data that are reported is refused", async () => {
    expect(await refused(1, "audit", model, "--data", data, "--validation", data)).toMatchInlineSnapshot(
      `"error: npy:good-x.npy: 0 of its images are not among those reported, expected at least 50 to choose thresholds on. Name other data, or leave these out and report fewer records (--validation, --samples). [policy/validation]"`,
    );
  });

  it("--validation where all thresholds are given is refused", async () => {
    expect(
      await refused(2, "audit", model, "--data", data, "--threshold", "0.5", "--validation", data),
    ).toMatchInlineSnapshot(
      `"error: --validation npy:good-x.npy,good-y.npy: the call gives all thresholds, so validation records are not needed. Leave --validation out, or add --threshold keep:95%. [cli/usage]"`,
    );
  });

  it("--validation-samples 10 is refused", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--validation-samples", "10")).toMatchInlineSnapshot(
      `"error: --validation-samples: got "10", expected a whole number of at least 50. Write e.g. --validation-samples 1000. [cli/value]"`,
    );
  });

  it("that does not exist is refused with the nearest one", async () => {
    expect(await refused(2, "audit", model, "--data", data, "--sample", "4")).toMatchInlineSnapshot(
      `"error: dynn audit: unknown option '--sample'. Did you mean --samples? Run \`dynn audit --help\` to see its arguments and options. [cli/usage]"`,
    );
  });

  it("without its value is refused", async () => {
    const ran = await cli("audit", model, "--eps");
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(told(ran.err)).toMatchInlineSnapshot(
      `"error: dynn audit: option '--eps <radius>' argument missing. Run \`dynn audit --help\` to see its arguments and options. [cli/usage]"`,
    );
  });
});

describe("a model with a single exit", () => {
  const single = put("single.onnx", network({ exits: 1 }));

  it("has no slowdown attack", async () => {
    expect(await refused(1, "audit", single, "--data", data, "--attacks", "slowdown")).toMatchInlineSnapshot(
      `"error: attack slowdown: the model has a single exit, and this attack needs early ones or gates. Use fgsm, pgd, pgd-l2, cw, or a method that \`dynn attacks\` lists. [attack/unsupported]"`,
    );
  });

  it("has no slowdown attack in an attack file either", async () => {
    const file = put(
      "slow.json",
      JSON.stringify([{ name: "s", objective: "slowdown", optimizer: "pgd", radius: "8/255" }]),
    );
    expect(await refused(1, "audit", single, "--data", data, "--attack-file", file)).toMatchInlineSnapshot(
      `"error: goal slowdown: the model has a single exit, and this attack needs early ones or gates. Use misclassify:final, or a multi-exit model. [attack/unsupported]"`,
    );
  });
});

describe("an output", () => {
  /** Refused before any work. */
  async function unwritable(...options: string[]): Promise<string> {
    const before = filesIn(folder);
    const ran = await cli("audit", model, "--data", data, ...options);
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(filesIn(folder)).toEqual(before);
    return told(ran.err);
  }

  it("in a folder that is not there is refused", async () => {
    expect(await unwritable("--report", at("nowhere/report.html"))).toMatch(
      /^error: nowhere\/report.html: cannot be written \(ENOENT: .*\)\. Choose a file in a folder that exists and that you may write to\. \[file\/unwritable\]$/,
    );
  });

  it("that is a folder is refused", async () => {
    expect(await unwritable("--json", results)).toMatchInlineSnapshot(
      `"error: results: cannot be written (it is a folder). Choose a file in a folder that exists and that you may write to. [file/unwritable]"`,
    );
  });

  it("that is a device is refused, and the device is left alone", async () => {
    expect(await unwritable("--json", "/dev/null")).toMatchInlineSnapshot(
      `"error: /dev/null: cannot be written (it is not a regular file). Choose a file in a folder that exists and that you may write to. [file/unwritable]"`,
    );
  });

  it("under a file is refused", async () => {
    expect(await unwritable("--report", join(model, "report.html"))).toMatch(
      /^error: net.onnx\/report.html: cannot be written \(ENOTDIR: .*\[file\/unwritable\]$/,
    );
  });

  it("in /proc is refused", async () => {
    expect(await unwritable("--report", "/proc/report.html")).toMatch(
      /^error: \/proc\/report.html: cannot be written \(.*\[file\/unwritable\]$/,
    );
  });

  it("that two options share is refused", async () => {
    expect(await unwritable("--json", at("a.json"), "--report", join(folder, ".", "a.json"))).toMatchInlineSnapshot(
      `"error: --json and --report: both are a.json. Give each its own file. [cli/usage]"`,
    );
  });

  it("without a name is refused", async () => {
    expect(await unwritable("--json", "")).toMatchInlineSnapshot(
      `"error: --json: got "", expected the path of a file, or - to print. Write e.g. --json out.json. [cli/value]"`,
    );
  });

  it("- is for --json alone", async () => {
    expect(await unwritable("--report", "-")).toMatchInlineSnapshot(
      `"error: --report: got "-", expected the path of a file. Write e.g. --report report.html. [cli/value]"`,
    );
  });
});

describe("dynn inspect", () => {
  it("refuses what dynn audit refuses", async () => {
    const ran = await cli("inspect", at("nowhere.onnx"));
    expect(ran.code).toBe(2);
    expect(told(ran.err)).toMatchInlineSnapshot(
      `"error: nowhere.onnx: there is no such file. Check the path. [file/missing]"`,
    );
  });

  it("refuses an image size that is none", async () => {
    const ran = await cli("inspect", model, "--image-size", "32,0");
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(told(ran.err)).toMatchInlineSnapshot(
      `"error: --image-size: got "32,0", expected HEIGHT,WIDTH in whole pixels. Write e.g. --image-size 224,224. [cli/value]"`,
    );
  });

  it("refuses a second model", async () => {
    const ran = await cli("inspect", model, model);
    expect([ran.code, ran.out]).toEqual([2, ""]);
    expect(told(ran.err)).toMatchInlineSnapshot(
      `"error: dynn inspect: too many arguments for 'inspect'. Expected 1 argument but got 2. Run \`dynn inspect --help\` to see its arguments and options. [cli/usage]"`,
    );
  });

  it("asks for the image size when the model leaves it open", async () => {
    const open = put("open.onnx", network({ input: ["n", 3, "h", "w"] }));
    const ran = await cli("inspect", open);
    expect([ran.code, ran.out]).toEqual([1, ""]);
    expect(told(ran.err)).toMatchInlineSnapshot(
      `"error: Conv "conv": the cost depends on "image", whose shape [1,3,h,w] is not known. Give the image size, or export the model with a fixed one (--image-size). [shape/unknown]"`,
    );
    expect((await cli("inspect", open, "--image-size", "8")).code).toBe(0);
  });
});
