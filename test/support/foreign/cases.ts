/** @file Ten cases of users with other people's files: what dynn said at version 0.1.0, and what it says now. A test runs each command. */

export interface StrangerCase {
  /** The folder in test/fixtures/cases. */
  readonly folder: string;
  readonly what: string;
  /** The command line. FOLDER is the case's folder, DATA the images that several cases share, OUT a file to write. */
  readonly command: string;
  readonly before: string;
  /** Words that the command prints now. */
  readonly after: readonly string[];
  readonly exit: number;
}

const AUDIT = "--radii 0 --threads 1 --attacks";

export const STRANGER_CASES: readonly StrangerCase[] = [
  {
    folder: "01-class-order-folder",
    what: "Folders of classes, two of them capitalised",
    command: `audit zoo:resnet20-cifar10-static --data folder:FOLDER/f_cap ${AUDIT} none`,
    before: "13.8 % right: labels followed the order of the folders",
    after: ["classes matched by name", "81.3 %"],
    exit: 0,
  },
  {
    folder: "01-class-order-folder",
    what: "Folders called `car` and `plane`",
    command: `audit zoo:resnet20-cifar10-static --data folder:FOLDER/f_car ${AUDIT} none`,
    before: "28.7 % right, and no word",
    after: ['"car" is unknown to resnet20-cifar10-static', "--classes, --by-order"],
    exit: 1,
  },
  {
    folder: "01-class-order-folder",
    what: "Folders of three of ten classes",
    command: `audit zoo:resnet20-cifar10-static --data folder:FOLDER/f_subset ${AUDIT} none`,
    before: "0.0 % right",
    after: ["3 of the model's 10 classes are in the data", "85.7 %"],
    exit: 0,
  },
  {
    folder: "05-model-wants-0-255",
    what: "A model of pixels in 0 to 255",
    command: `audit FOLDER/float255.onnx --data DATA ${AUDIT} pgd`,
    before: "20.0 % right, robust 20.0 %: the attack seemed to fail",
    after: ["The file takes pixels in 0 to 255", "60.0 %", "0.0 (0.0-8.8)"],
    exit: 0,
  },
  {
    folder: "07-hidden-softmax",
    what: "Exits whose Softmax lies behind Identity",
    command: "classify FOLDER/exits_softmax_identity.onnx DATA --samples 1 --threshold 0.8 --threads 1",
    before: "confidence 0.158: the softmax of a softmax",
    after: ["0.572"],
    exit: 0,
  },
  {
    folder: "08-gradient-of-softmax-output",
    what: "The gradient of a Softmax output",
    command: "gradient FOLDER/softmax_sat.onnx -o OUT",
    before: "cross-entropy of probabilities as if they were logits: loss 1.49 where -log p is 0.04",
    after: ["cross-entropy of probs"],
    exit: 0,
  },
  {
    folder: "10-vanishing-gradients",
    what: "Logits times 30",
    command: `audit FOLDER/softmax_sat.onnx --data DATA ${AUDIT} pgd`,
    before: "PGD leaves 20.0 % right, where 0 % is right",
    after: ["0.0 (0.0-8.8)", "the gradient was 0 or below float32's resolution"],
    exit: 0,
  },
  {
    folder: "11-quantised",
    what: "A QDQ file",
    command: `audit FOLDER/qdq.onnx --data DATA ${AUDIT} pgd`,
    before: 'refused: "it does not depend on image. Choose a loss computed from that input"',
    after: ["straight through the rounding", "0.0 (0.0-8.8)"],
    exit: 0,
  },
  {
    folder: "11-quantised",
    what: "A file of 8-bit operators",
    command: `audit FOLDER/qop.onnx --data DATA ${AUDIT} pgd`,
    before: "refused, with advice that led to the refusal above",
    after: ["QGemm has no gradient", 'audit this one with the attacks "none"'],
    exit: 1,
  },
  {
    folder: "12-parallel-heads",
    what: "A second task beside the classifier",
    command: `audit FOLDER/multitask_same_last.onnx --data DATA ${AUDIT} none`,
    before: "the second task was the final exit: 2.5 % right",
    after: ['The output "task_b" costs as much as "logits"', "60.0 %"],
    exit: 0,
  },
  {
    folder: "13-nhwc-input",
    what: "A model of channels last",
    command: `audit FOLDER/nhwc.onnx --data npy:FOLDER/x.npy,FOLDER/y.npy ${AUDIT} none`,
    before: "refused in a circle: neither order of the axes was taken",
    after: ["channels last", "60.0 %"],
    exit: 0,
  },
  {
    folder: "14-batch-1-reshape",
    what: "A batch of 1 in a Reshape",
    command: "inspect FOLDER/batch1_reshape.onnx",
    before: "refused: export with a dynamic batch",
    after: ["the batch of 1 is a number in the file. dynn opened it"],
    exit: 0,
  },
  {
    folder: "16-float16-uint8",
    what: "A float16 model",
    command: "inspect FOLDER/fp16.onnx",
    before: "refused: expected exactly one image input, which it has",
    after: ["The file computes in float16. dynn computes in float32"],
    exit: 0,
  },
  {
    folder: "16-float16-uint8",
    what: "A model of uint8 pixels",
    command: "inspect FOLDER/uint8_nchw.onnx",
    before: "refused: expected exactly one image input, which it has",
    after: ["is uint8. dynn takes pixels in [0,1]"],
    exit: 0,
  },
];
