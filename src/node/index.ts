/** @file The entry `dynn/node`: all of `dynn`, and the parts that need Node.js (files, ONNX
 *  Runtime, threads, HTTP). */

export * from "../index.js";
export { renderConversion } from "../report/conversion/page.js";
export { type ConversionRecord, conversionRecordSchema } from "../schema/conversion-record.js";
export { conversionRecord, type FinishedConversion } from "../studies/conversion.js";
export { measureSpeed, type SpeedOptions } from "../studies/speed.js";
export type { Measurement } from "../training/convert/policy.js";
export { type ClientOptions, SplitClient } from "./client.js";
export { FITS, type Fit } from "./data/image.js";
export { DATA_SCHEMES, openDataset, type Scheme } from "./data/open.js";
export { type DataSource, type PrefetchOptions, prefetch } from "./data/prefetch.js";
export { type ReadImageOptions, readImage } from "./data/read-image.js";
export { type OpenOptions, openBundle, openManifest } from "./deploy/bundle.js";
export {
  type Exported,
  type ExportOptions,
  exportConditional,
  exportSplit,
  exportStaged,
  type SplitOptions,
} from "./deploy/export.js";
export { load } from "./load.js";
export { describeMachine, describeRun, type RunOptions } from "./machine.js";
export { type OpenedModel, openModel, openOnnx } from "./models.js";
export { loadModel, saveModel } from "./onnx-files.js";
export {
  checkProvider,
  ENGINE_VERSION,
  type OrtNodeOptions,
  ortNode,
  PROVIDERS,
  type Provider,
} from "./ort-node/index.js";
export { type FolderStore, folderStore } from "./run-store.js";
export { type Address, createServer, type Server, type ServerOptions } from "./serve/server.js";
export { createServerPart, type ServerPart, type ServerPartOptions } from "./serve/server-part.js";
export { taskKeeper } from "./studies/task-keeper.js";
export {
  openTrainingData,
  type TrainingData,
  type TrainingDataRequest,
  type ValidationChoice,
} from "./training/data.js";
export { TrainingRun, type TrainingRunOptions, type TrainOptions } from "./training/run.js";
