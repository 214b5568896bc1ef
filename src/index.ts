/** @file The entry `dynn`: all that runs in any JavaScript engine. The entries `dynn/node` and
 *  `dynn/web` give these names too. */

// Types of `Symbol.asyncDispose`, for programs whose lib lacks them.
/// <reference lib="esnext.disposable" preserve="true" />

export { type Attack, type AttackOptions, aimed, type SampleOutcome, type Spent } from "./attacks/attack.js";
export {
  type Catalogue,
  catalogue,
  type GoalEntry,
  type MethodEntry,
  type ParameterEntry,
} from "./attacks/catalogue.js";
export type { Need } from "./attacks/goals/goal.js";
export { type Goal, type GoalContext, type GoalDef, goal } from "./attacks/goals/goal.js";
export { GOALS, type GoalName } from "./attacks/goals/table.js";
export type { Aim } from "./attacks/goals/targets.js";
export type { Victim } from "./attacks/goals/victim.js";
export type { Loss, LossContext } from "./attacks/losses/loss.js";
/** Losses that attacks ascend, as graph nodes. */
export * as losses from "./attacks/losses/nodes.js";
export { type ExitLoss, LOSSES, type LossForm, type LossName } from "./attacks/losses/table.js";
export { Best, type BestOptions } from "./attacks/methods/best.js";
export { type Extras, evaluate, evaluateAll, type Followed, survivesRounding } from "./attacks/methods/evaluate.js";
export type { SampleShown } from "./attacks/methods/method.js";
export {
  type GradientMethod,
  keyOf,
  type Method,
  type MethodDef,
  method,
  type QueryMethod,
  type QueryTask,
  type SetMethod,
  type Task,
} from "./attacks/methods/method.js";
export { METHODS, type MethodName } from "./attacks/methods/table.js";
export { type Asked, Evaluator, type EvaluatorOptions, type Work } from "./attacks/oracle/evaluator.js";
export type { LossGraphOptions } from "./attacks/oracle/loss-graph.js";
export { lossGraph } from "./attacks/oracle/loss-graph.js";
export type { SessionRoom } from "./attacks/oracle/sessions.js";
export type { Limits } from "./attacks/parameters.js";
export * as parameters from "./attacks/parameters.js";
export { PRESETS, type Preset, type PresetContext, presetConfigs } from "./attacks/presets.js";
export {
  ACCESS,
  type Access,
  ask,
  type Evaluation,
  type FoundImage,
  type Judge,
  type Query,
  type QuerySearch,
  type Question,
  type Search,
  type Shown,
  type Slope,
} from "./attacks/question.js";
export { type RunAttackOptions, runAttack } from "./attacks/runner.js";
export { type ExitLogits, type Sample, type Seen, samplesOf, seenIn } from "./attacks/sample.js";
export {
  type AttackConfig,
  attackConfigSchema,
  type ConfiguredAttack,
  configureAttack,
  parseAttackFile,
} from "./attacks/spec.js";
export type { Surrogate as GateSurrogate } from "./autodiff/gates.js";
export {
  appendVjp,
  type GradientRequest,
  gradientGraph,
  type NamedLoss,
  type VjpRequest,
} from "./autodiff/gradient.js";
export { type ModelGradient, type ModelGradientOptions, modelGradient } from "./autodiff/model-gradient.js";
export { type ModelVjp, type ModelVjpOptions, modelVjp } from "./autodiff/model-vjp.js";
export { ARRAY_OF, type ArrayOf, type DType } from "./core/dtype.js";
export { DynnError, ERROR_CODES, type ErrorCode, type ErrorDetail } from "./core/errors.js";
export { type ImageDims, Images, type ImageTaker, imageDims } from "./core/images.js";
export { type GateScores, Logits } from "./core/logits.js";
export { type StreamKey, uniform } from "./core/rng.js";
export type { Dim, Dims, Shape } from "./core/shape.js";
export { fromNumbers, type Tensor, tensor, toNumbers } from "./core/tensor.js";
export { parseQuantity } from "./core/units.js";
export { VERSION } from "./core/version.js";
export { type Augmentation, NO_AUGMENTATION } from "./data/augment.js";
export { type BatchPlace, type StreamOptions, type TrainingBatch, trainingStream } from "./data/batches.js";
export { type ClassMatching, parseClassMap } from "./data/classes.js";
export { type Dataset, readImages, type SubsetOptions, subset } from "./data/dataset.js";
export { type FittedModel, fitData } from "./data/fit.js";
export { readNpy, writeNpy } from "./data/npy.js";
export { type ReportRequest, splitValidation, type ValidationOptions } from "./data/split.js";
export { type ChannelStatistics, channelStatistics } from "./data/statistics.js";
export { splitTraining, type TrainingSplit, type TrainingSplitRequest } from "./data/training-split.js";
export type { Bundle, BundlePart, Side } from "./deploy/bundle.js";
export {
  createDevice,
  type Device,
  type DeviceOptions,
  type DeviceRun,
  type PlacedAnswer,
} from "./deploy/device/device.js";
export type { Remote, RemoteOptions } from "./deploy/device/remote.js";
export {
  estimateLink,
  type LinkEstimate,
  type LinkOptions,
  type LinkSpeed,
  parseLink,
  type TimedAnswer,
} from "./deploy/link.js";
export { type Manifest, manifestSchema } from "./deploy/manifest.js";
export { type ModelPart, smallestSplit, splitParts, stagedParts } from "./deploy/parts.js";
export { type FoundAnswer, type Verification, type VerifyOptions, verify } from "./deploy/verify.js";
export {
  type DecodeOptions,
  decodeRequest,
  type EncodeOptions,
  encodeRequest,
  type RequestSize,
  requestBytes,
  type WireForm,
  type WireSamples,
} from "./deploy/wire.js";
export type { Reply } from "./deploy/wire-answer.js";
export { fingerprintOf, wireFormOf } from "./deploy/wire-form.js";
export { WIRES, type Wire, type WireValue } from "./deploy/wire-values.js";
export type { UncheckedBatch } from "./dynamic/adapt/adapter.js";
export {
  type Calibration,
  type CalibrationRequest,
  calibrate,
  fitTemperature,
  type Measured,
  type OperatingPoint,
  type OutcomeRequest,
  operatingPoints,
  outcomesAt,
  paretoFront,
  type WorstCase,
} from "./dynamic/choose/calibrate.js";
export type { PolicyFrame } from "./dynamic/choose/readings.js";
export type { UnitCosts } from "./dynamic/choose/sweep.js";
export { ENSEMBLE_FORMS, type EnsembleForm, type EnsembleOptions, ensemble } from "./dynamic/model/ensemble.js";
export { attachExits, backboneOf, type ExitOptions, exitsMetadata } from "./dynamic/model/exits.js";
export { CHANNEL_ORDERS, type InputMaps, type InputOptions } from "./dynamic/model/input.js";
export { writeMetadata } from "./dynamic/model/metadata.js";
export {
  type DynamicModel,
  dynamicModel,
  type Exit,
  type Gate,
  type ModelOptions,
  type ModelSource,
} from "./dynamic/model/model.js";
export { prependNormalization } from "./dynamic/model/normalization.js";
export { openGates } from "./dynamic/model/open-gates.js";
export { underPolicy } from "./dynamic/model/under-policy.js";
export { costOf, costShareOf, type GateBit, type Path, type Unit, type Units } from "./dynamic/model/units.js";
export { type ExitSpec, parseExits, placeExits } from "./dynamic/place/exits.js";
export { type ExitPlace, type MeasuredPlace, type MeasuredPlaces, placesOf } from "./dynamic/place/places.js";
export { type ExitAnswer, exitAnswers } from "./dynamic/route/exit-answers.js";
export type { Named } from "./dynamic/route/named.js";
export { makePolicy, type PolicyOptions } from "./dynamic/route/policy.js";
export { type Reading, type Routed, route, routeOne } from "./dynamic/route/route.js";
export { CONDITIONAL_OUTPUTS, type ConditionalOptions, conditionalModel } from "./dynamic/run/conditional/index.js";
export {
  type Answer,
  type ClassifyOptions,
  createExecutor,
  type EngineName,
  type Executor,
  type ExecutorOptions,
  type ImageSource,
  type StageRun,
} from "./dynamic/run/executor/index.js";
export type { StageAnswer } from "./dynamic/run/executor/sample-queue.js";
export { type CompileOptions, Forward, type ForwardOptions } from "./dynamic/run/forward.js";
export { FullForward } from "./dynamic/run/full-forward.js";
export { checkOutputs, type OutputOptions } from "./dynamic/run/outputs.js";
export { type Stage, type StagedGraph, type StageGate, splitStages } from "./dynamic/run/stages.js";
export { measureExits, type TimedExits, type TimingOptions, timeExits } from "./dynamic/run/timing.js";
export type { Attribute, Attributes } from "./graph/attributes.js";
export { GraphBuilder } from "./graph/builder.js";
export { checkGraph } from "./graph/checker.js";
export { macsOf, nodeMacs } from "./graph/cost.js";
export { findCuts } from "./graph/cuts.js";
export type { Graph, Node, ValueInfo, ValueName, ValueType } from "./graph/graph.js";
export { inferShapes } from "./graph/infer.js";
export type {
  ChannelAffine,
  DropoutMask,
  InferContext,
  InputKind,
  KernelContext,
  NdArray,
  NoGradient,
  OpDef,
  OpTable,
  RunningStatistic,
  TrainingContext,
  Vjp,
  VjpContext,
} from "./graph/op.js";
export { simplify } from "./graph/passes/simplify.js";
export { printGraph } from "./graph/printer.js";
export { mcnemarExact } from "./measures/mcnemar.js";
/** Tests, intervals, resampling and power (docs/statistics.md). */
export * as statistics from "./measures/statistics/index.js";
export { wilson } from "./measures/wilson.js";
export { ARCHITECTURES, type ArchitectureName, REFERENCE_EXITS } from "./nn/architectures.js";
export { GATES, type GateName } from "./nn/gates/index.js";
export type { GateContext, GateMechanism, ScoreOf } from "./nn/gates/mechanism.js";
export type { Feature, Scope } from "./nn/layers.js";
export type { Architecture, Network, NetworkOptions } from "./nn/network.js";
export { type OnnxModel, OPSETS } from "./onnx/model.js";
export { patchMetadata } from "./onnx/patch-metadata.js";
export { type ReadLimits, type ReadOptions, readModel } from "./onnx/read.js";
export type { ExternalPlace } from "./onnx/tensors.js";
export { type WritableModel, writeModel } from "./onnx/write.js";
export { opTable } from "./ops/table.js";
export type { NormDef } from "./perturb/norms.js";
export { type Budget, NORMS } from "./perturb/norms.js";
export { type ReportOptions, renderAudit } from "./report/audit/page.js";
export { type ResultForm, type ResultsOptions, resultsTable } from "./report/audit/results.js";
export { renderCalibration } from "./report/calibration/page.js";
export { renderProfile } from "./report/profile/page.js";
export type { DrawOptions } from "./report/shared/drawing.js";
export { renderTraining } from "./report/training/page.js";
export type { Backend, BackendMachine, Session, Tensors } from "./runtime/backend.js";
export { referenceBackend } from "./runtime/reference.js";
export {
  type AuditRecord,
  auditRecordSchema,
  type ExitView,
  type GalleryItem,
  SCHEMA_VERSION,
} from "./schema/audit-record.js";
export { type CalibrationRecord, calibrationRecordSchema } from "./schema/calibration-record.js";
export type { Machine } from "./schema/made.js";
export type { ModelMetadata } from "./schema/metadata.js";
export { type ModelCard, modelCardSchema } from "./schema/model-card.js";
export { NORM_NAMES, type Norm } from "./schema/norm.js";
export type { Normalization } from "./schema/normalization.js";
export {
  ALWAYS_CLOSED,
  ALWAYS_OPEN,
  FALLBACKS,
  type Fallback,
  type GateRule,
  NEVER,
  type Policy,
  RULES,
  type Rule,
  type SingleExitOptions,
  singleExitPolicy,
  type Threshold,
} from "./schema/policy.js";
export {
  PROFILE_SCHEMA_VERSION,
  type ProfileRecord,
  profileRecordSchema,
} from "./schema/profile-record.js";
export type { SampleRow } from "./schema/sample-row.js";
export type { Speeds } from "./schema/speed.js";
export {
  type Check,
  type Claim,
  type ClaimsPlan,
  type ClaimsPlanInput,
  claimsPlanSchema,
  type Endpoint,
  VERDICTS,
  type Verdict,
  verdictSchema,
} from "./schema/study/claims.js";
export type { CalibrationTarget } from "./schema/target.js";
export {
  type Answers,
  type EpochReport,
  epochReportSchema,
  RECIPE_DEFINITIONS,
  RECIPES,
  type Recipe,
  type TrainingRecord,
} from "./schema/training.js";
export {
  type AttackedImage,
  type AttackImageOptions,
  attackImage,
  IMAGE_GOALS,
  type ImageGoal,
} from "./studies/attack-image.js";
export {
  type AuditOptions,
  type AuditOutcome,
  audit,
  type PolicyChoice,
  type RunStore,
} from "./studies/audit/index.js";
export type { CurveOptions, Progress, Surrogate } from "./studies/audit/options.js";
export type { RunManifest, RunPart, StoredRun } from "./studies/audit/run-store.js";
export type { OpenBatch, StudyRequest } from "./studies/batch.js";
export {
  type CalibrationOptions,
  type CalibrationResult,
  calibrateModel,
  type WorstCaseOptions,
} from "./studies/calibration/index.js";
export type { OpenRecorded, Recorded } from "./studies/defaults.js";
export { type GateBaselinesOptions, gateBaselines } from "./studies/gates/baselines.js";
export { type FileGradient, type FileGradientOptions, fileGradient } from "./studies/gradient-model.js";
export { type HeldOptions, holdsProbabilities } from "./studies/gradient-output.js";
export { type PolicyRequest, type ResolvedPolicy, resolvePolicy } from "./studies/policy.js";
export { type PointOptions, type ProfileOptions, type ProfileRequest, profile } from "./studies/profile/index.js";
export { type SampleOptions, samples } from "./studies/samples.js";
export { type BlockTable, type ClaimData, judgeClaims, protocolClaims } from "./studies/study/claims/index.js";
export type { TaskKeeper } from "./studies/tasks/kept-tasks.js";
export { type TransferOptions, transfer } from "./studies/transfer/index.js";
export {
  CONVERSION_RECIPES,
  type Conversion,
  type ConversionRecipe,
  type ConvertOptions,
  convert,
} from "./training/convert/convert.js";
export { withNamedParameters } from "./training/convert/parameters.js";
export {
  type ConversionPlan,
  type ConversionRequest,
  measureConversion,
  type PlaceCostOptions,
  type PlaceReport,
  planConversion,
} from "./training/convert/plan.js";
export type { RoutedTally, Tally } from "./training/convert/policy.js";
export { attachGates, type GatedGraph, type GateOptions, type TrainedGate } from "./training/gates/attach.js";
export { attachHalting } from "./training/gates/halting.js";
export type { GatePlaces } from "./training/gates/sites.js";
export type {
  AdamConfig,
  AdversarialConfig,
  DistillConfig,
  ExitWeights,
  GateBudgetConfig,
  GatesConfig,
  OptimizerConfig,
  PonderConfig,
  ScheduleConfig,
  SgdConfig,
  StepReport,
  StopConfig,
  TrainingConfig,
} from "./training/recipe/config.js";
export { type RecipeContext, type TrainingChoices, trainingConfig } from "./training/recipe/defaults.js";
export type { RunSettings } from "./training/run/checkpoint.js";
export {
  type EvaluateExitsOptions,
  type EvaluateOptions,
  type ExitEvaluation,
  evaluateExits,
} from "./training/run/evaluate.js";
export { type FeedOptions, type FeedSource, makeFeeds } from "./training/run/feeds.js";
export {
  type InitialWeights,
  type NetworkBase,
  type NetworkRequest,
  type TrainingNetwork,
  trainingNetwork,
  type WeightsOptions,
  weightsOfCheckpoint,
  weightsOfModel,
} from "./training/run/network.js";
export {
  cardOf,
  measurePlan,
  type Origin,
  type PlanAnswers,
  type PlanRequest,
  planTraining,
  type RightAnswers,
  type TrainingPlan,
  trainedMetadata,
} from "./training/run/plan.js";
export type { TrainableModel, TrainingCheckpoint, TrainingRequest } from "./training/run/request.js";
export { trainedNames } from "./training/run/trained.js";
export { type TrainingResult, train } from "./training/run/trainer.js";
export { type StepGraph, type StepRequest, stepGraph } from "./training/step/graph.js";
export { type GateInputs, type StepInputs, type StepResult, StepRunner } from "./training/step/runner.js";
export type { TrainingState } from "./training/step/state.js";
