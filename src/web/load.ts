/** @file Loads dynamic models by their address, for web pages. */
import { DynnError, reasonOf } from "../core/errors.js";
import { type DynamicModel, dynamicModel, type ModelOptions } from "../dynamic/model/model.js";
import { readModel } from "../onnx/read.js";

/** How a model is fetched and read. */
export interface LoadOptions extends ModelOptions {
  /** Stops the download. */
  readonly signal?: AbortSignal | undefined;
}

/** Fetch an ONNX file and read it as a classifier with one exit or many. The model's name is the
 * name of the file, unless `options` give another. The file itself must hold the weights.
 * @param url absolute, or relative to the page
 * @throws DynnError 'file/missing' when the server does not have the file, 'file/unreadable' when
 *   the download fails, and the errors of `readModel` and `dynamicModel`; the signal's reason when
 *   aborted
 * @example
 * import { Forward, load, ortWeb } from "dynn/web";
 *
 * const model = await load("models/resnet20.onnx");
 * const forward = await Forward.compile(model, { backend: ortWeb() }); */
export async function load(url: string | URL, { signal, ...options }: LoadOptions = {}): Promise<DynamicModel> {
  const where = String(url);
  const bytes = await download(where, signal);
  return dynamicModel(readModel(bytes, { name: where, owned: true }), { name: nameOf(where), ...options });
}

/** The last part of the path, without the extension. */
const nameOf = (url: string): string =>
  (
    url
      .replace(/[?#].*$/s, "")
      .split("/")
      .at(-1) ?? ""
  ).replace(/\.onnx$/, "") || url;

async function download(url: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const response = await fetch(url, signal ? { signal } : {}).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw unreadable(url, reasonOf(cause), cause);
  });
  if (response.status === 404 || response.status === 410)
    throw new DynnError("file/missing", `${url}: the server has no such file. Check the address.`, { url });
  if (!response.ok) throw unreadable(url, `the server answered ${response.status}`);
  const bytes = await response.arrayBuffer().catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw unreadable(url, reasonOf(cause), cause);
  });
  return new Uint8Array(bytes);
}

const unreadable = (url: string, reason: string, cause?: unknown): DynnError =>
  new DynnError(
    "file/unreadable",
    `${url}: cannot be downloaded (${reason}). Check that the server gives the file to this page.`,
    { url },
    { cause },
  );
