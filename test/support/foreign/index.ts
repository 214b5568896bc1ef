/** @file All models in the forms of other exporters, which dynn's own script draws: the rows of docs/models.md. */
import { HEADS } from "./heads.js";
import type { ForeignModel } from "./model.js";
import { OTHERS } from "./others.js";
import { PYTORCH } from "./pytorch.js";
import { QUANTISED } from "./quantised.js";
import { TENSORFLOW } from "./tensorflow.js";

export const FOREIGN_MODELS: readonly ForeignModel[] = [...TENSORFLOW, ...PYTORCH, ...OTHERS, ...HEADS, ...QUANTISED];
