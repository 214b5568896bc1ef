/** @file The one error class of dynn, and the list of every code it may carry.
 *  A message reads `where: what is wrong, got, expected. What to do. [code]`; `detail` holds the same facts as data.
 *  Read by: every room. */

/** Every error code, with the exit status that the command gives it (2 when the call was wrong, 1 when the work failed) and what it
 *  is about in one sentence. docs/errors.md is made from this table. */
export const ERROR_CODES = {
  "cli/usage": {
    exit: 2,
    about: "A command or option is not known, an argument is missing, or options do not fit together.",
  },
  "cli/value": {
    exit: 2,
    about: "A value given to an option, or a number in an attack, cannot be read or is out of range.",
  },
  "file/missing": { exit: 2, about: "A file that was named is not there." },
  "file/unreadable": { exit: 2, about: "A file is there but cannot be read: no permission, or it is no file." },
  "file/unwritable": { exit: 2, about: "An output cannot be written. Outputs are tried before the work starts." },
  "file/full": { exit: 1, about: "The disk has no room for an output. Nothing is left half written." },
  "model/parse": { exit: 1, about: "The bytes are no ONNX model, or hold a training graph." },
  "model/empty": { exit: 1, about: "The model holds no graph, or its graph has no nodes or no outputs." },
  "model/version": { exit: 1, about: "The IR version or the opset is outside the range that dynn reads and writes." },
  "model/dtype": { exit: 1, about: "An element type is not supported, or not what an operator takes." },
  "model/tensor": { exit: 1, about: "A constant is damaged: its data and its shape do not agree." },
  "model/external": {
    exit: 1,
    about: "A data file of the model is missing, too short, or outside the model's own folder.",
  },
  "model/attribute": {
    exit: 1,
    about:
      "An attribute of a node is missing, of the wrong kind, or asks for something that dynn refuses, such as training mode.",
  },
  "model/op": {
    exit: 1,
    about: "The model uses an operator that dynn does not know (docs/ops.md lists those it knows).",
  },
  "model/duplicate": { exit: 1, about: "Two values share one name." },
  "model/dangling": { exit: 1, about: "A node or an output needs a value that nothing makes." },
  "model/cycle": { exit: 1, about: "A node depends on its own output." },
  "model/order": { exit: 1, about: "Nodes are not in topological order." },
  "model/input": {
    exit: 1,
    about: "The model does not take exactly one float32 batch of images, or a node lacks an input.",
  },
  "model/classifier": { exit: 1, about: "No output is a classifier's, or exits disagree on the number of classes." },
  "model/metadata": { exit: 1, about: "A `dynn.*` entry of the file does not hold what it should." },
  "model/cut": {
    exit: 1,
    about: "The model has no place for an early exit, none that is worth its cost, or one whose sizes are not known.",
  },
  "exits/value": {
    exit: 2,
    about:
      "Exits were asked for where none can be: at a value that is no legal cut, twice or out of order, more than there are places, or with a head that cannot read what is there.",
  },
  "model/limit": { exit: 1, about: "The model is larger, longer or more deeply nested than the limits allow." },
  "shape/mismatch": { exit: 1, about: "Shapes do not fit together." },
  "shape/unknown": { exit: 1, about: "A size must be known here and is not; often the image size is open." },
  "gradient/none": {
    exit: 1,
    about:
      "The loss cannot be differentiated: an operator on the way has no gradient, or the loss does not depend on the input.",
  },
  "runtime/load": { exit: 1, about: "The engine refuses the graph." },
  "runtime/provider": { exit: 2, about: "The machine has not what the chosen provider (webgpu, cuda) needs." },
  "runtime/telemetry": {
    exit: 1,
    about: "ONNX Runtime would report its use to its maker, and a worker thread cannot turn that off.",
  },
  "runtime/run": { exit: 1, about: "The engine failed while running the graph." },
  "policy/value": { exit: 2, about: "A threshold is out of its rule's range, or the list has the wrong length." },
  "policy/validation": {
    exit: 1,
    about: "No threshold can be chosen: too few other records, overlapping data, or a goal that no threshold meets.",
  },
  "data/spec": { exit: 2, about: "A data spec cannot be read." },
  "data/missing": { exit: 2, about: "The data set's file or folder is not there, or holds no images." },
  "data/truncated": { exit: 1, about: "A data file ends too early." },
  "data/format": { exit: 1, about: "A data file is not in its format." },
  "data/label": { exit: 1, about: "A label lies outside the model's classes." },
  "data/shape": {
    exit: 1,
    about: "Images have another shape than the model takes, or images and labels do not belong together.",
  },
  "data/value": { exit: 1, about: "A pixel is NaN or outside [0,1]." },
  "data/worker": {
    exit: 1,
    about: "A thread that makes training batches stopped by itself, often for want of memory.",
  },
  "training/config": { exit: 2, about: "A training setting is out of range, or does not fit the model or the data." },
  "training/diverged": { exit: 1, about: "The training loss is no longer a number. The last good checkpoint is kept." },
  "checkpoint/format": { exit: 1, about: "The bytes are no checkpoint of a training run, or a damaged one." },
  "checkpoint/mismatch": {
    exit: 2,
    about: "A run folder or a checkpoint belongs to other settings, or its tensors do not fit the model.",
  },
  "training/unfinished": {
    exit: 2,
    about: "The run folder holds a run that is not finished, and the call does not say to go on with it.",
  },
  "export/unsupported": {
    exit: 1,
    about: "The model cannot be written in this form: a split needs an early exit.",
  },
  "export/mismatch": {
    exit: 1,
    about: "What was to be exported does not answer as the model does. Nothing is written.",
  },
  "bundle/format": {
    exit: 1,
    about: "A folder is no bundle that dynn wrote, or its manifest does not hold what it should.",
  },
  "bundle/damaged": { exit: 1, about: "A file of a bundle is missing, or is not the one that the manifest speaks of." },
  "wire/format": { exit: 1, about: "What was sent between device and server is not in the wire format." },
  "wire/bundle": { exit: 1, about: "Device and server hold halves of different exports." },
  "wire/limit": { exit: 1, about: "A request is larger than the server allows: too many bytes or samples." },
  "wire/value": {
    exit: 1,
    about: "A number sent between device and server is NaN, infinite or out of range, or leads to one.",
  },
  "serve/config": {
    exit: 2,
    about: "A setting of the server or of the device is out of range, unsafe, or does not suit the bundle.",
  },
  "serve/listen": { exit: 1, about: "The server cannot listen on the address: it is taken, or not of this machine." },
  "serve/token": { exit: 1, about: "The server asks for a token, and a request has none or another one." },
  "serve/request": { exit: 1, about: "A request asks for what the server does not have, or is no proper HTTP." },
  "serve/busy": { exit: 1, about: "The server is full, stopping, or too slow for now. Ask again later." },
  "serve/failed": { exit: 1, about: "The server failed in a way it should not." },
  "serve/unreachable": { exit: 1, about: "The server was not reached, or gave no answer in time." },
  "serve/refused": { exit: 1, about: "The server refuses what the device sends; asking again would not help." },
  "attack/config": { exit: 2, about: "An attack file, or one entry of it, is wrong." },
  "attack/unsupported": {
    exit: 1,
    about: "The attack does not suit the model: it needs early exits and the model has none.",
  },
} as const satisfies Record<string, { readonly exit: 1 | 2; readonly about: string }>;

/** The code of a {@link DynnError}. docs/errors.md lists them. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts of an error as plain data, for programs. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** A failure that the caller can act on. An impossible state throws a plain `Error` whose text starts with `bug:`. */
export class DynnError extends Error {
  /** Tells it from other errors. */
  override readonly name = "DynnError";

  /**
   * @param code   one of {@link ERROR_CODES}
   * @param text   `where: what is wrong, got, expected. What to do.` without the code
   * @param detail the same facts as data
   */
  constructor(
    readonly code: ErrorCode,
    text: string,
    readonly detail: ErrorDetail = {},
    options?: { cause?: unknown },
  ) {
    super(`${text} [${code}]`, options);
  }
}

/** The text of anything thrown, for use inside another message. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
