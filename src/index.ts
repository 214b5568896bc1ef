/** @file dynn's public API. The same engine as the command; see docs/architecture.md for the rooms behind it. */

export {
  type AttackRun,
  type Evaluation,
  evaluate,
  type Objective,
  type Optimizer,
  type Query,
  type Sample,
  samplesOf,
  survivesRounding,
  type Task,
} from "./attacks/attack.js";
export { Best } from "./attacks/best.js";
export { type Budget, NORMS } from "./attacks/budget.js";
export { type AttackConfig, configureAttack, parseAttackFile } from "./attacks/config.js";
export { Evaluator } from "./attacks/evaluator.js";
/** Losses that attacks ascend, as graph nodes. */
export * as losses from "./attacks/losses.js";
export { PRESETS, presetConfigs } from "./attacks/presets.js";
export { type Attack, runAttack, type SampleOutcome } from "./attacks/runner.js";
export { appendVjp, gradientGraph } from "./autodiff/gradient.js";
export { type ModelGradient, type ModelGradientOptions, modelGradient } from "./autodiff/model-gradient.js";
export { type ModelVjp, type ModelVjpOptions, modelVjp } from "./autodiff/model-vjp.js";
export { DynnError, ERROR_CODES, type ErrorCode } from "./core/errors.js";
export { type ImageDims, Images, type ImageTaker, imageDims } from "./core/images.js";
export { Logits } from "./core/logits.js";
export { fromNumbers, type Tensor, tensor, toNumbers } from "./core/tensor.js";
export { parseQuantity } from "./core/units.js";
export { VERSION } from "./core/version.js";
export { type Augmentation, NO_AUGMENTATION } from "./data/augment.js";
export { type Place, type TrainingBatch, trainingStream } from "./data/batches.js";
export { type Dataset, readImages, subset } from "./data/dataset.js";
export { readNpy, writeNpy } from "./data/npy.js";
export { splitValidation } from "./data/split.js";
export { channelStatistics } from "./data/statistics.js";
export type { Bundle, BundlePart, Side } from "./deploy/bundle.js";
export { createDevice, type Device, type DeviceOptions, type PlacedAnswer } from "./deploy/device/device.js";
export type { Remote } from "./deploy/device/remote.js";
export { estimateLink, type LinkSpeed, parseLink } from "./deploy/link.js";
export { type Manifest, manifestSchema } from "./deploy/manifest.js";
export { type Part, smallestSplit, splitParts, stagedParts } from "./deploy/parts.js";
export { type Verification, verify } from "./deploy/verify.js";
export { decodeRequest, encodeRequest, requestBytes, type WireForm, type WireSamples } from "./deploy/wire.js";
export type { Reply } from "./deploy/wire-answer.js";
export { fingerprintOf, wireFormOf } from "./deploy/wire-form.js";
export { WIRES, type Wire, type WireValue } from "./deploy/wire-values.js";
export {
  type Calibration,
  type CalibrationRequest,
  calibrate,
  fitTemperature,
  type Measured,
  type OperatingPoint,
  operatingPoints,
  outcomesAt,
  paretoFront,
} from "./dynamic/choose/calibrate.js";
export { attachExits, backboneOf, exitsMetadata } from "./dynamic/model/exits.js";
export { writeMetadata } from "./dynamic/model/metadata.js";
export { type DynamicModel, dynamicModel, type Exit } from "./dynamic/model/model.js";
export { prependNormalization } from "./dynamic/model/normalization.js";
export { type ExitSpec, parseExits, placeExits } from "./dynamic/place/exits.js";
export { type MeasuredPlaces, placesOf } from "./dynamic/place/places.js";
export { makePolicy } from "./dynamic/route/policy.js";
export { type Routed, route, routeOne } from "./dynamic/route/route.js";
export { CONDITIONAL_OUTPUTS, conditionalModel } from "./dynamic/run/conditional/index.js";
export {
  type Answer,
  type ClassifyOptions,
  createExecutor,
  type Executor,
  type ExecutorOptions,
  type ImageSource,
  type StageRun,
} from "./dynamic/run/executor/index.js";
export { Forward, type ForwardOptions } from "./dynamic/run/forward.js";
export { type Stage, splitStages } from "./dynamic/run/stages.js";
export { measureExits, type TimingOptions } from "./dynamic/run/timing.js";
export { GraphBuilder } from "./graph/builder.js";
export { checkGraph } from "./graph/checker.js";
export { macsOf, nodeMacs } from "./graph/cost.js";
export { findCuts } from "./graph/cuts.js";
export type { Graph, Node, ValueInfo, ValueType } from "./graph/graph.js";
export { inferShapes } from "./graph/infer.js";
export { simplify } from "./graph/passes/simplify.js";
export { printGraph } from "./graph/printer.js";
export { mcnemarExact } from "./measures/mcnemar.js";
export { wilson } from "./measures/wilson.js";
export { ARCHITECTURES, type ArchitectureName, REFERENCE_EXITS } from "./nn/architectures.js";
export { type ClientOptions, SplitClient } from "./node/client.js";
export { openDataset } from "./node/data/open.js";
export { prefetch } from "./node/data/prefetch.js";
export { type OpenOptions, openBundle } from "./node/deploy/bundle.js";
export {
  type Exported,
  type ExportOptions,
  exportConditional,
  exportSplit,
  exportStaged,
  type SplitOptions,
} from "./node/deploy/export.js";
export { load } from "./node/load.js";
export { loadModel, saveModel } from "./node/onnx-files.js";
export { ortNode } from "./node/ort-node/index.js";
export { createEngine, type Engine, type EngineOptions } from "./node/serve/engine.js";
export { createServer, type Server, type ServerOptions } from "./node/serve/server.js";
export type { OnnxModel } from "./onnx/model.js";
export { patchMetadata } from "./onnx/patch-metadata.js";
export { readModel } from "./onnx/read.js";
export { writeModel } from "./onnx/write.js";
export { opTable } from "./ops/table.js";
export { renderAudit } from "./report/audit/page.js";
export { renderCalibration } from "./report/calibration/page.js";
export { renderProfile } from "./report/profile/page.js";
export { renderTraining } from "./report/training/page.js";
export type { Backend, Session, Tensors } from "./runtime/backend.js";
export { referenceBackend } from "./runtime/reference.js";
export { type AuditRecord, auditRecordSchema, SCHEMA_VERSION } from "./schema/audit-record.js";
export { type CalibrationRecord, calibrationRecordSchema } from "./schema/calibration-record.js";
export type { Norm } from "./schema/norm.js";
export { type Fallback, NEVER, type Policy, type Rule, type Threshold } from "./schema/policy.js";
export { PROFILE_SCHEMA_VERSION, type ProfileRecord, profileRecordSchema } from "./schema/profile-record.js";
export type { CalibrationTarget } from "./schema/target.js";
export type { EpochReport, Recipe, TrainingRecord } from "./schema/training.js";
export {
  type AuditOptions,
  type AuditOutcome,
  audit,
  type PolicyChoice,
  type RunStore,
} from "./studies/audit/index.js";
export {
  type CalibrationOptions,
  type CalibrationResult,
  calibrateModel,
  type WorstCaseOptions,
} from "./studies/calibration/index.js";
export { type ProfileOptions, profile } from "./studies/profile/index.js";
export { type SampleOptions, samples } from "./studies/samples.js";
export { type Conversion, type ConversionRecipe, type ConvertOptions, convert } from "./training/convert/convert.js";
export {
  type ConversionPlan,
  type ConversionRequest,
  measureConversion,
  type PlaceCostOptions,
  type PlaceReport,
  planConversion,
} from "./training/convert/plan.js";
export type { StepReport, TrainingConfig } from "./training/recipe/config.js";
export { trainingConfig } from "./training/recipe/defaults.js";
export { evaluateExits } from "./training/run/evaluate.js";
export { type TrainingRequest, type TrainingResult, train } from "./training/run/trainer.js";
export { stepGraph } from "./training/step/graph.js";
export { StepRunner } from "./training/step/runner.js";
export type { TrainingState } from "./training/step/state.js";
export { ortWeb } from "./web/ort-web/index.js";
