/** @file The one error class of dynn, and the list of all error codes. A message reads `where:
 *  what is wrong, got, expected. What to do. [code]`. `detail` holds the same facts as data. */

/** Every error code with its exit status and one sentence that explains it. The exit status is 2
 * when the call was wrong, and 1 when the work failed. docs/errors.md is made from this table. */
export const ERROR_CODES = {
  "cli/usage": {
    exit: 2,
    about: "A command or option is not known, an argument is missing, or options do not fit together.",
  },
  "cli/value": {
    exit: 2,
    about: "A value given to an option, or a number in an attack, cannot be read or is out of range.",
  },
  "file/missing": { exit: 2, about: "A named file does not exist." },
  "file/unreadable": {
    exit: 2,
    about:
      "A file exists but cannot be read: permission is denied, its name is not UTF-8, or it is a folder, FIFO, socket or device.",
  },
  "file/unwritable": { exit: 2, about: "An output cannot be written. dynn checks outputs before the work starts." },
  "file/locked": {
    exit: 1,
    about: "Another process works in the folder. Wait until it ends, or choose another folder.",
  },
  "file/full": { exit: 1, about: "The disk has no space for an output. No partly written file stays." },
  "model/parse": { exit: 1, about: "The bytes are not an ONNX model, or the model holds a training graph." },
  "model/empty": { exit: 1, about: "The model holds no graph, or its graph has no nodes or no outputs." },
  "model/version": { exit: 1, about: "The IR version or the opset is outside the range that dynn reads and writes." },
  "model/dtype": { exit: 1, about: "An element type is not supported, or an operator does not take it." },
  "model/tensor": { exit: 1, about: "A constant is damaged: its data and its shape do not agree." },
  "model/external": {
    exit: 1,
    about: "A data file of the model is missing, too short, or outside the model's own folder.",
  },
  "model/attribute": {
    exit: 1,
    about:
      "An attribute of a node is missing, is of the wrong kind, or has a value that dynn refuses, such as training mode.",
  },
  "model/op": {
    exit: 1,
    about: "The model uses an operator that dynn does not know. docs/ops.md lists the known operators.",
  },
  "model/duplicate": { exit: 1, about: "Two values have the same name." },
  "model/dangling": { exit: 1, about: "A node or an output needs a value that nothing produces." },
  "model/cycle": { exit: 1, about: "A node depends on its own output." },
  "model/order": { exit: 1, about: "Nodes are not in topological order." },
  "model/input": {
    exit: 1,
    about: "The model does not take exactly one float32 batch of images, or a node lacks an input.",
  },
  "model/batch": {
    exit: 1,
    about: "The model runs one image at a time, and the work needs larger batches.",
  },
  "model/classifier": {
    exit: 1,
    about: "No output holds the logits of a classifier, or exits have different numbers of classes.",
  },
  "model/metadata": { exit: 1, about: "A `dynn.*` metadata entry of the file has a wrong value." },
  "model/gates": {
    exit: 1,
    about:
      "The gates that the metadata state do not fit the graph: a value is missing or has a wrong shape, a branch has another reader, or a score depends on its own branch.",
  },
  "model/cut": {
    exit: 1,
    about:
      "The model has no place for an early exit, no place that is worth its cost, or a place whose sizes are not known.",
  },
  "exits/value": {
    exit: 2,
    about:
      "Exits cannot be placed as requested: a value is not a legal cut, values repeat or are out of order, there are fewer places than exits, or the head cannot read the value.",
  },
  "model/limit": { exit: 1, about: "The model is larger, longer or more deeply nested than the limits allow." },
  "shape/mismatch": { exit: 1, about: "Shapes do not fit together." },
  "shape/unknown": { exit: 1, about: "A size is not known but is needed. Often the image size is open." },
  "gradient/none": {
    exit: 1,
    about:
      "The loss cannot be differentiated: an operator between loss and input has no gradient, or the loss does not depend on the input.",
  },
  "statistics/value": {
    exit: 2,
    about: "Numbers do not fit a statistical function: too few, not finite, of different lengths, or out of range.",
  },
  "claims/data": {
    exit: 2,
    about:
      "The table of a block does not fit a claim: a column, constant or factor is missing, or a column has another length or no number.",
  },
  "zoo/unknown": { exit: 2, about: "The zoo has no network of this name." },
  "zoo/missing": { exit: 2, about: "The zoo lists the network, and this machine does not have its file." },
  "zoo/damaged": { exit: 1, about: "The file of a network is not the one that the index describes." },
  "zoo/index": { exit: 1, about: "An index of the zoo is not JSON, or has a wrong value." },
  "zoo/download": { exit: 1, about: "A mirror of the zoo cannot be reached, or does not answer as it should." },
  "runtime/load": { exit: 1, about: "The engine refuses the graph." },
  "memory/batch": {
    exit: 1,
    about: "A run would need more memory than is free. The message says which batch fits, if any does.",
  },
  "runtime/provider": {
    exit: 2,
    about: "This machine lacks the device or the library that the chosen provider (webgpu, cuda) needs.",
  },
  "runtime/telemetry": {
    exit: 1,
    about: "ONNX Runtime would send usage data to its maker, and a worker thread cannot turn that off.",
  },
  "runtime/run": { exit: 1, about: "The engine failed while running the graph." },
  "policy/value": { exit: 2, about: "A threshold is outside the range of its rule, or the list has the wrong length." },
  "policy/validation": {
    exit: 1,
    about:
      "No threshold can be chosen: there are too few other records, the data overlap, or no threshold meets the goal.",
  },
  "study/changed": {
    exit: 1,
    about: "A network, a record or a plan is not the one that the plan of the study names.",
  },
  "study/version": { exit: 1, about: "Another version of dynn made the plan, the store or the task." },
  "study/duckdb": {
    exit: 1,
    about: "Tables of a study are asked in SQL by DuckDB, which is not installed. Install @duckdb/node-api.",
  },
  "study/sql": { exit: 2, about: "A query is wrong, or does more than read, or names a table that does not exist." },
  "study/aside": { exit: 1, about: "Tasks of a study failed, or ended their workers twice. The others are done." },
  "study/value": { exit: 2, about: "A study file or a plan has a wrong value, or names what does not exist." },
  "study/worker": {
    exit: 1,
    about: "The processes that run the tasks of a study cannot start, or a package or program is missing for them.",
  },
  "store/damaged": { exit: 1, about: "A file in a store of results is not the one that its manifest describes." },
  "store/unreachable": { exit: 1, about: "A store or a queue cannot be reached, or refuses access." },
  "data/spec": { exit: 2, about: "A data spec cannot be read." },
  "data/missing": { exit: 2, about: "The file or folder of the data set does not exist, or holds no images." },
  "data/truncated": { exit: 1, about: "A data file ends too early." },
  "data/format": { exit: 1, about: "A data file does not follow its format." },
  "data/label": {
    exit: 1,
    about: "A label is outside the model's classes, or the model has no class, or several, of a name in the data.",
  },
  "data/shape": {
    exit: 1,
    about:
      "The shape of the images differs from the shape that the model takes, or images and labels differ in number.",
  },
  "data/value": { exit: 1, about: "A pixel is NaN or outside [0,1]." },
  "data/worker": {
    exit: 1,
    about: "A thread that makes training batches stopped by itself. Often it ran out of memory.",
  },
  "training/config": { exit: 2, about: "A training setting is out of range, or does not fit the model or the data." },
  "training/diverged": { exit: 1, about: "The training loss is no longer a number. The last good checkpoint is kept." },
  "checkpoint/format": {
    exit: 1,
    about: "The bytes are not a checkpoint of a training run, or the checkpoint is damaged.",
  },
  "checkpoint/mismatch": {
    exit: 2,
    about: "A run folder or a checkpoint was made with other settings, or its tensors do not fit the model.",
  },
  "training/unfinished": {
    exit: 2,
    about: "The run folder holds an unfinished run, and the call does not ask to resume it.",
  },
  "transfer/mismatch": {
    exit: 2,
    about: "Networks that are compared take different images or classes.",
  },
  "export/unsupported": {
    exit: 1,
    about: "The model cannot be written in this form: a split needs an early exit.",
  },
  "export/mismatch": {
    exit: 1,
    about: "The export gives other answers than the model. Nothing is written.",
  },
  "bundle/format": {
    exit: 1,
    about: "A folder is not a bundle that dynn wrote, or its manifest has a wrong value.",
  },
  "bundle/damaged": {
    exit: 1,
    about: "A file of a bundle is missing, or differs from the file that the manifest describes.",
  },
  "wire/format": { exit: 1, about: "A message between device and server is not in the wire format." },
  "wire/bundle": { exit: 1, about: "The device and the server hold parts of different exports." },
  "wire/limit": { exit: 1, about: "A request is larger than the server allows: too many bytes or samples." },
  "wire/value": {
    exit: 1,
    about: "A number sent between device and server is NaN, infinite or out of range, or produces such a number.",
  },
  "serve/config": {
    exit: 2,
    about: "A setting of the server or of the device is out of range, unsafe, or does not suit the bundle.",
  },
  "serve/listen": {
    exit: 1,
    about: "The server cannot listen on the address: it is in use, or does not belong to this machine.",
  },
  "serve/token": { exit: 1, about: "The server requires a token, and a request has no token or a wrong one." },
  "serve/request": {
    exit: 1,
    about: "A request asks for something that the server does not have, or is not valid HTTP.",
  },
  "serve/busy": { exit: 1, about: "The server is full, stopping, or too slow for now. Ask again later." },
  "serve/failed": { exit: 1, about: "The server failed unexpectedly." },
  "serve/unreachable": { exit: 1, about: "The server could not be reached, or did not answer in time." },
  "serve/refused": {
    exit: 1,
    about: "The server refuses the request of the device. Repeating the request would not help.",
  },
  "attack/config": { exit: 2, about: "An attack file, or one entry of it, is wrong." },
  "attack/start": {
    exit: 1,
    about: "A targeted attack begins at an image of its target class, and the attacked samples hold none.",
  },
  "attack/unsupported": {
    exit: 1,
    about: "The attack does not suit the model: it needs early exits, and the model has none.",
  },
} as const satisfies Record<string, { readonly exit: 1 | 2; readonly about: string }>;

/** The code of a {@link DynnError}. docs/errors.md lists all codes. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Facts of an error as plain data, for programs. */
export type ErrorDetail = Readonly<Record<string, unknown>>;

/** An error that the caller can act on. An impossible state throws a plain `Error` whose text
 * starts with `bug:`. */
export class DynnError extends Error {
  /** Tells it from other errors. */
  override readonly name = "DynnError";

  /** @param code one of {@link ERROR_CODES}
   * @param text `where: what is wrong, got, expected. What to do.` without the code
   * @param detail the same facts as data */
  constructor(
    readonly code: ErrorCode,
    text: string,
    readonly detail: ErrorDetail = {},
    options?: { cause?: unknown },
  ) {
    super(`${text} [${code}]`, options);
  }
}

/** The text of any thrown value, for use inside another message. */
export const reasonOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
