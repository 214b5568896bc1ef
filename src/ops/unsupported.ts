/** @file The operators of opsets 11 to 21 that dynn does not support, each with the reason.
 *  `never` marks an operator that does not fit dynn's purpose, `not yet` one that would. The
 *  error for a model with such an operator states the reason, and docs/ops.md lists all. */

export interface Unsupported {
  readonly status: "never" | "not yet";
  /** Completes "dynn does not have X: ...". */
  readonly reason: string;
  /** What to do instead. */
  readonly instead: string;
}

const because =
  (status: Unsupported["status"], reason: string, instead: string) =>
  (...types: readonly string[]): readonly (readonly [string, Unsupported])[] =>
    types.map((type) => [type, { status, reason, instead }]);

const controlFlow = because(
  "never",
  "it chooses at run time which nodes run, and shapes, costs and gradients need a fixed graph",
  "Export the model with its branches and loops unrolled (torch.jit.trace does)",
);
const random = because(
  "never",
  "it draws random numbers, and results must follow from the input and the seed",
  "Export the model in evaluation mode",
);
const sequences = because(
  "never",
  "it handles lists and optional values, and dynn handles tensors",
  "Export the model with tensors",
);
const text = because("never", "it handles text, and dynn handles images", "Keep it outside the model");
const sound = because("never", "it handles sound, and dynn handles images", "Keep it outside the model");
const dataShapes = because(
  "never",
  "the shape of its output depends on the values of its input, and batches need fixed shapes",
  "Compute it after the model",
);
const boxes = because(
  "never",
  "it works on detected boxes, and dynn works on classifiers",
  "Export the classifier alone",
);
const deprecated = (instead: string) => because("never", "ONNX has deprecated it", instead);
const images = because("never", "it reads image files, and dynn takes pixels", "Feed pixels in [0,1]");
const losses = because("never", "dynn makes the losses itself", "Export the model without its loss");
const recurrent = because("not yet", "recurrent layers are rare in vision", "Export the model with the layer unrolled");

/** Every operator that dynn does not have, by its ONNX name. */
export const UNSUPPORTED: ReadonlyMap<string, Unsupported> = new Map(
  [
    controlFlow("If", "Loop", "Scan"),
    random("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"),
    sequences(
      "ConcatFromSequence",
      "Optional",
      "OptionalGetElement",
      "OptionalHasElement",
      "SequenceAt",
      "SequenceConstruct",
      "SequenceEmpty",
      "SequenceErase",
      "SequenceInsert",
      "SequenceLength",
      "SequenceMap",
      "SplitToSequence",
    ),
    text("RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer"),
    sound("BlackmanWindow", "DFT", "HammingWindow", "HannWindow", "MelWeightMatrix", "STFT"),
    dataShapes("Compress", "NonZero", "Unique"),
    boxes("MaxRoiPool", "NonMaxSuppression", "RoiAlign"),
    deprecated("Export the model with Resize (opset 11 or later)")("Upsample"),
    deprecated("Export the model with ScatterElements (opset 11 or later)")("Scatter"),
    images("ImageDecoder"),
    losses("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"),
    recurrent("GRU", "LSTM", "RNN"),
    because(
      "not yet",
      "no known export of a classifier uses it",
      "Export the model with other operators, or report it",
    )("AffineGrid", "CenterCropPad", "Col2Im", "DeformConv", "Det"),
  ].flat(),
);
