/** @file Reads image files as the images that a model takes. */
import { fileURLToPath } from "node:url";
import { DynnError } from "../../core/errors.js";
import { checkGiven } from "../../core/given.js";
import { Images, type ImageTaker, imageDims } from "../../core/images.js";
import { writeGrey } from "../../data/channels.js";
import { writePixels } from "../../data/dataset.js";
import { cropPlanes, decodeImage, type Fit } from "./image.js";

/** Options of {@link readImage}. */
export interface ReadImageOptions {
  /** How an image of another shape comes to the model's size. crop: the short side is resized, and
   * the centre is cut out. pad: black bars. stretch: both sides are resized. Default: crop. */
  readonly fit?: Fit | undefined;
}

/** Reads an image file in the size and with the channels that a model takes. Rotation in the EXIF
 * data is applied, and transparency is dropped.
 * @param file a path, a file URL, or the bytes of a file: PNG, JPEG, WebP, GIF, TIFF, AVIF, BMP or
 *  Netpbm
 * @returns one image in [0,1], for `executor.classify` and `forward.logits`
 * @throws DynnError 'data/missing', 'file/unreadable', 'data/format' when it is not an image
 * @throws DynnError 'data/shape' when the model takes neither 1 nor 3 channels, 'shape/unknown'
 *  when its image size is open
 * @example
 * ```ts
 * import { createExecutor, load, ortNode, readImage } from "dynn/node";
 *
 * const model = await load("zoo:resnet20-joint");
 * const executor = await createExecutor(model, { backend: ortNode() });
 * const [answer] = await executor.classify(await readImage("photo.png", model));
 * console.log(answer?.className, answer?.exitName, answer?.costFraction);
 * await executor.release();
 * ``` */
export async function readImage(
  file: string | URL | Uint8Array,
  model: ImageTaker,
  { fit = "crop" }: ReadImageOptions = {},
): Promise<Images> {
  checkGiven("readImage", { model });
  const dims = imageDims(model);
  const pixels = new Float32Array(dims[0] * dims[1] * dims[2]);
  await decodeInto(file instanceof URL ? fileURLToPath(file) : file, pixels, { name: model.name, dims, fit });
  return new Images(pixels, dims, model.name);
}

/** Decodes one image into the pixels of its place.
 * @param out float32 [c*h*w]
 * @throws DynnError as {@link readImage} */
export async function decodeInto(
  file: string | Uint8Array,
  out: Float32Array,
  { name, dims: [channels, height, width], fit }: { name: string; dims: Images["dims"]; fit: Fit },
): Promise<void> {
  if (channels !== 3 && channels !== 1)
    throw new DynnError(
      "data/shape",
      `${name}: takes images of ${channels} channels, but image files are read as 3 (RGB). Give an npy: data spec.`,
      { channels },
    );
  const size = { height, width, fit };
  const rgb = new Float32Array(3 * height * width);
  writePixels(cropPlanes(await decodeImage(file, size), size), rgb, 0);
  if (channels === 3) out.set(rgb);
  else writeGrey(rgb, out, height * width);
}
