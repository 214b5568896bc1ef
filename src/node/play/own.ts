/** @file The user's network and images, in the form in which the playground reads them. */
import { DynnError } from "../../core/errors.js";
import { sizeOf } from "../../core/shape.js";
import type { ClassMatching } from "../../data/classes.js";
import { type Dataset, readImages, subset } from "../../data/dataset.js";
import { fitData, fitLabels } from "../../data/fit.js";
import type { InputOptions } from "../../dynamic/model/input.js";
import { writeMetadata } from "../../dynamic/model/metadata.js";
import { type DynamicModel, dynamicModel, type ModelOptions } from "../../dynamic/model/model.js";
import { type WritableModel, writeModel } from "../../onnx/write.js";
import { METADATA_KEYS } from "../../schema/metadata.js";
import { openDataset } from "../data/open.js";
import { type OpenedModel, openModel, openOnnx } from "../models.js";

/** What the page is to show. */
export interface OwnRequest {
  /** An ONNX file or zoo:NAME. Undefined: the bundled network. */
  readonly model?: string | undefined;
  /** A data set. Undefined: the bundled images. */
  readonly data?: string | undefined;
  /** The first N records. Undefined: up to 500, as many as 64 MB hold. */
  readonly samples?: number | undefined;
  readonly matching?: ClassMatching | undefined;
  /** How to read the network: its exits, and what it expects of pixels. */
  readonly reading?: Pick<ModelOptions, "exits" | "final"> & InputOptions;
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
  const reading = given(request.reading);
  checkModelGiven(opened, reading);
  const model = opened && dynamicModel(opened.source, { name: opened.name, ...reading });
  if (opened && model) {
    served.model = `own/${encodeURIComponent(request.model ?? opened.name)}`;
    files.set(`/${served.model}`, writeModel(reading ? asRead(model) : opened.source));
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

/** What was stated of the reading. Undefined: nothing. */
const given = (reading: OwnRequest["reading"]): OwnRequest["reading"] =>
  reading && Object.values(reading).some((value) => value !== undefined) ? reading : undefined;

/** @throws DynnError 'cli/usage' when nothing is there that could be read so */
function checkModelGiven(opened: OpenedModel | undefined, reading: OwnRequest["reading"]): void {
  if (opened !== undefined || reading === undefined) return;
  const options = Object.keys(reading).filter((key) => reading[key as keyof typeof reading] !== undefined);
  throw new DynnError(
    "cli/usage",
    `${options.join(", ")}: the call says how to read a network, but names none. Name the file, e.g. dynn play model.onnx, or leave this out.`,
    { options },
  );
}

/** The network as it was read, as a file that needs no options: the page reads it without them. */
function asRead({ graph, exits, policy, normalization, metadata }: DynamicModel): WritableModel {
  const replaced: readonly string[] = [METADATA_KEYS.exits, METADATA_KEYS.policy, METADATA_KEYS.normalization];
  const stated = { exits: exits.map(({ name, output }) => ({ name, logits: output })), policy, normalization };
  return {
    graph,
    metadata: new Map([...[...metadata].filter(([key]) => !replaced.includes(key)), ...writeMetadata(stated)]),
  };
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
