/** @file The user's network and images, in the form in which the playground reads them. */
import { DynnError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { ClassMatching } from "../../data/classes.js";
import { type Dataset, readImages, subset } from "../../data/dataset.js";
import { fitData, fitLabels } from "../../data/fit.js";
import { type DynamicModel, dynamicModel } from "../../dynamic/model/model.js";
import { writeModel } from "../../onnx/write.js";
import { openDataset } from "../data/open.js";
import { openModel, openOnnx } from "../models.js";

/** What the page is to show. */
export interface OwnRequest {
  /** An ONNX file or zoo:NAME. Undefined: the bundled network. */
  readonly model?: string | undefined;
  /** A data set. Undefined: the bundled images. */
  readonly data?: string | undefined;
  /** The first N records. Undefined: up to 500, as many as 64 MB hold. */
  readonly samples?: number | undefined;
  readonly matching?: ClassMatching | undefined;
}

/** The network of the page when the user gives none. */
const BUNDLED = "zoo:resnet20-joint";

/** What the server gives beside the page: by path, bytes. */
export interface Own {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What is served, for people. */
  readonly about: string;
}

/** Images of the page, unless the user asks for more. */
const MOST_IMAGES = 500;
const MOST_BYTES = 64e6;

/** Open the network and the images, and check that they fit.
 * @throws DynnError as `dynn audit` does for the same model and data */
export async function openOwn(request: OwnRequest): Promise<Own> {
  const files = new Map<string, Uint8Array>();
  const served: { model?: string; images?: string } = {};
  const about: string[] = [];
  const opened = request.model === undefined ? undefined : await openOnnx(request.model);
  const model = opened && dynamicModel(opened.source, { name: opened.name });
  if (opened) {
    served.model = `own/${encodeURIComponent(request.model ?? opened.name)}`;
    files.set(`/${served.model}`, writeModel(opened.source));
    about.push(opened.name);
  }
  if (request.data !== undefined) {
    const set = await imagesOf(request, request.data, model ?? (await openModel(BUNDLED)));
    served.images = "own/images.json";
    for (const [path, bytes] of set.files) files.set(path, bytes);
    about.push(set.about);
  }
  if (about.length > 0) files.set("/own.json", json(served));
  return { files, about: about.join(", ") || "the bundled network and images" };
}

async function imagesOf({ samples, matching }: OwnRequest, spec: string, model: DynamicModel): Promise<Own> {
  const data = await openDataset(spec);
  const fitted = fitOf(data, model, matching);
  const { count } = fitted;
  const bytes = 4 * sizeOf(fitted.shape);
  const usual = Math.min(MOST_IMAGES, Math.max(1, Math.floor(MOST_BYTES / bytes)));
  const taken = subset(
    fitted,
    Array.from({ length: Math.min(count, samples ?? usual) }, (_, i) => i),
  );
  const images = await readImages(taken);
  const classes =
    model.classNames ?? Array.from({ length: model.classes }, (_, k) => data.classes?.[k] ?? `class ${k}`);
  const description = {
    name: spec,
    classes,
    dims: images.dims,
    labels: Array.from(taken.labels),
    pixels: "images.bin",
  };
  return {
    files: new Map([
      ["/own/images.json", json(description)],
      ["/own/images.bin", new Uint8Array(images.data.buffer, images.data.byteOffset, images.data.byteLength)],
    ]),
    about: `${taken.count} of ${count} images of ${data.name}`,
  };
}

/** The data in the classes of the network.
 * @throws DynnError 'data/shape', 'data/label' */
function fitOf(data: Dataset, model: DynamicModel, matching: ClassMatching | undefined): Dataset {
  if (data.count === 0)
    throw new DynnError("data/shape", `${data.name}: holds no images. Give a data set with at least one.`, {});
  const isSized = model.input.shape.slice(1).every((d) => typeof d === "number");
  return isSized ? fitData(model, data, matching) : fitLabels(model, data, matching);
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
