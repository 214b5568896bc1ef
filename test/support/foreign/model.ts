/** @file What the list of foreign models says of each model. */
import type { ErrorCode } from "../../../src/core/errors.js";

/** How the file takes an image whose pixels are float32 [n,channels,height,width] in [0,1]. */
export interface Feed {
  /** Channels come last. */
  readonly last?: true;
  /** Pixels are multiplied by it, and rounded where the type is whole. */
  readonly times?: number;
  readonly dtype?: "float16" | "float64" | "uint8";
  /** The shape of one image in the file, where it is not [channels,height,width]. */
  readonly dims?: readonly number[];
  /** The file takes one image at a time. */
  readonly single?: true;
}

/** What an output of the file holds, so that its numbers say what dynn's logits must be. */
export type Holds =
  /** The logits themselves. */
  | "logits"
  /** The softmax of the logits. */
  | "probabilities"
  /** The logarithm of the softmax. */
  | "log probabilities"
  /** The sigmoid of one number for two classes. */
  | "share";

interface Named {
  /** The exporter or the library whose form the file has. */
  readonly maker: string;
  /** What is special about the form, in a few words. */
  readonly form: string;
  readonly bytes: () => Uint8Array;
}

/** A file that dynn reads. */
export interface ReadableModel extends Named {
  /** Sizes of one image as dynn takes it. */
  readonly image: readonly [channels: number, height: number, width: number];
  readonly feed?: Feed;
  /** The same network in a form that ONNX Runtime answers for, where it refuses the file or its outputs. */
  readonly plain?: () => Uint8Array;
  /** The exits that dynn finds, and what each holds in the file. */
  readonly exits: Readonly<Record<string, Holds>>;
  /** How far answers may be off, where the file rounds to 16 or 8 bits. Default: 1e-4. */
  readonly tolerance?: number;
}

/** A file that dynn refuses. */
export interface RefusedModel extends Named {
  readonly code: ErrorCode;
  /** Words that the refusal has, which name what is the problem. */
  readonly says: string;
  /** The file as the advice of the refusal asks for it. Left out where an option is advised. */
  readonly exported?: () => Uint8Array;
}

export type ForeignModel = ReadableModel | RefusedModel;

export const isRefused = (model: ForeignModel): model is RefusedModel => "code" in model;
