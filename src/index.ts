/** @file dynn's public API. The same engine as the command; see docs/architecture.md for the rooms behind it. */

export {
  type AttackRun,
  type Evaluation,
  evaluate,
  type Objective,
  type Optimizer,
  type Query,
  type Sample,
  survivesRounding,
  type Task,
} from "./attacks/attack.js";
export { Best } from "./attacks/best.js";
export { type Budget, NORMS, type Norm } from "./attacks/budget.js";
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
export { fromNumbers, type Tensor, tensor, toNumbers } from "./core/tensor.js";
export { parseQuantity } from "./core/units.js";
export { VERSION } from "./core/version.js";
export { type Augmentation, NO_AUGMENTATION } from "./data/augment.js";
export { type Place, type TrainingBatch, trainingStream } from "./data/batches.js";
export { type Dataset, splitValidation, subset } from "./data/dataset.js";
export { openDataset } from "./data/files/open.js";
export { prefetch } from "./data/files/prefetch.js";
export { readNpy, writeNpy } from "./data/npy.js";
export { channelStatistics } from "./data/statistics.js";
export { type Bundle, type BundlePart, type OpenOptions, openBundle, type Side } from "./deploy/bundle.js";
export { type ClientOptions, SplitClient } from "./deploy/device/client.js";
export { createDevice, type Device, type DeviceOptions, type PlacedAnswer } from "./deploy/device/device.js";
export type { Remote } from "./deploy/device/remote.js";
export {
  type Exported,
  type ExportOptions,
  exportConditional,
  exportSplit,
  exportStaged,
  type SplitOptions,
} from "./deploy/export.js";
export { estimateLink, type LinkSpeed, parseLink } from "./deploy/link.js";
export { load } from "./deploy/load.js";
export { type Manifest, manifestSchema } from "./deploy/manifest.js";
export { type Part, smallestSplit, splitParts, stagedParts } from "./deploy/parts.js";
export { createEngine, type Engine, type EngineOptions } from "./deploy/serve/engine.js";
export { createServer, type Server, type ServerOptions } from "./deploy/serve/server.js";
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
  type Target,
} from "./dynamic/calibrate.js";
export { CONDITIONAL_OUTPUTS, conditionalModel } from "./dynamic/conditional/index.js";
export {
  type Answer,
  type ClassifyOptions,
  createExecutor,
  type Executor,
  type ExecutorOptions,
  type ImageSource,
  type StageRun,
} from "./dynamic/executor/index.js";
export { attachExits, backboneOf, exitsMetadata } from "./dynamic/exits.js";
export { Forward } from "./dynamic/forward.js";
export { writeMetadata } from "./dynamic/metadata.js";
export { type DynamicModel, dynamicModel, type Exit } from "./dynamic/model.js";
export { prependNormalization } from "./dynamic/normalization.js";
export { type ExitSpec, parseExits, placeExits } from "./dynamic/placement.js";
export { type MeasuredPlaces, placesOf } from "./dynamic/places.js";
export { type Fallback, makePolicy, NEVER, type Policy, type Rule, type Threshold } from "./dynamic/policy.js";
export { type Routed, route, routeOne, rowsOf } from "./dynamic/route.js";
export { type Stage, splitStages } from "./dynamic/stages.js";
export { measureExits, type TimingOptions } from "./dynamic/timing.js";
export { GraphBuilder } from "./graph/builder.js";
export { checkGraph } from "./graph/checker.js";
export { macsOf, nodeMacs } from "./graph/cost.js";
export { findCuts } from "./graph/cuts.js";
export type { Graph, Node, ValueInfo, ValueType } from "./graph/graph.js";
export { inferShapes } from "./graph/infer.js";
export { simplify } from "./graph/passes/simplify.js";
export { printGraph } from "./graph/printer.js";
export { type AuditRecord, auditRecordSchema, SCHEMA_VERSION } from "./measures/audit-record.js";
export { type CalibrationRecord, calibrationRecordSchema } from "./measures/calibration-record.js";
export { mcnemarExact } from "./measures/mcnemar.js";
export { PROFILE_SCHEMA_VERSION, type ProfileRecord, profileRecordSchema } from "./measures/profile-record.js";
export { wilson } from "./measures/wilson.js";
export { ARCHITECTURES, type ArchitectureName, REFERENCE_EXITS } from "./nn/architectures.js";
export { loadModel, saveModel } from "./onnx/files.js";
export type { OnnxModel } from "./onnx/model.js";
export { patchMetadata } from "./onnx/patch-metadata.js";
export { readModel } from "./onnx/read.js";
export { writeModel } from "./onnx/write.js";
export { opTable } from "./ops/table.js";
export { renderCalibration } from "./report/calibration.js";
export { renderAudit } from "./report/page.js";
export { renderProfile } from "./report/profile.js";
export { renderTraining, type TrainingRecord } from "./report/training.js";
export type { Backend, Session, Tensors } from "./runtime/backend.js";
export { ortNode } from "./runtime/ort-node/index.js";
export { ortWeb } from "./runtime/ort-web/index.js";
export { referenceBackend } from "./runtime/reference.js";
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
export type { EpochReport, Recipe, StepReport, TrainingConfig } from "./training/config.js";
export {
  type ConversionPlan,
  type ConversionRequest,
  measureConversion,
  type PlaceCostOptions,
  type PlaceReport,
  planConversion,
} from "./training/conversion-plan.js";
export { type Conversion, type ConversionRecipe, type ConvertOptions, convert } from "./training/convert.js";
export { trainingConfig } from "./training/defaults.js";
export { evaluateExits } from "./training/evaluate.js";
export type { TrainingState } from "./training/state.js";
export { stepGraph } from "./training/step-graph.js";
export { StepRunner } from "./training/step-runner.js";
export { type TrainingRequest, type TrainingResult, train } from "./training/trainer.js";
