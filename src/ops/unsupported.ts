/** @file Operators of opsets 11 to 21 that dynn does not have, each with the reason: `never` for what does not fit what dynn is, `not
 *  yet` for what would. The error for a model that uses one says the reason, and docs/ops.md lists them. */

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
  "Keep it behind the model",
);
const boxes = because(
  "never",
  "it works on detected boxes, and dynn works on classifiers",
  "Export the classifier alone",
);
const integers = because(
  "never",
  "it computes with 8-bit integers, through which no gradient flows",
  "Give the float model, or one with QuantizeLinear and DequantizeLinear around float operators",
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
    integers("ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul"),
    deprecated("Export the model with Resize (opset 11 or later)")("Upsample"),
    deprecated("Export the model with ScatterElements (opset 11 or later)")("Scatter"),
    images("ImageDecoder"),
    losses("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"),
    recurrent("GRU", "LSTM", "RNN"),
    because(
      "not yet",
      "no export of a classifier that we know has it",
      "Export the model with other operators, or report it",
    )("AffineGrid", "CenterCropPad", "Col2Im", "DeformConv", "Det"),
  ].flat(),
);
