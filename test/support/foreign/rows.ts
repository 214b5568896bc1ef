/** @file What dynn does with each foreign model, in sentences: the rows of docs/models.md. */
import { DynnError } from "../../../src/core/errors.js";
import { dynamicModel } from "../../../src/dynamic/model/model.js";
import { readModel } from "../../../src/onnx/read.js";
import { readingLines } from "../../../src/schema/reading.js";
import { FOREIGN_MODELS } from "./index.js";
import type { ForeignModel } from "./model.js";

export interface ForeignRow {
  readonly maker: string;
  readonly form: string;
  /** The code of the refusal. Left out for a file that dynn reads. */
  readonly code?: string;
  /** What dynn says. */
  readonly says: readonly string[];
}

export const foreignRows = (): readonly ForeignRow[] => FOREIGN_MODELS.map(rowOf);

function rowOf(foreign: ForeignModel): ForeignRow {
  const { maker, form } = foreign;
  try {
    const model = dynamicModel(readModel(foreign.bytes(), { name: "FILE" }), { name: "FILE" });
    const shares = model.exits.filter(({ logits, output }) => logits !== output).map(({ output }) => `"${output}"`);
    const logits = shares.length > 0 ? [`Logits are taken from the probabilities ${shares.join(" and ")}.`] : [];
    return { maker, form, says: [...readingLines(model), ...logits] };
  } catch (error) {
    if (!(error instanceof DynnError)) throw error;
    return { maker, form, code: error.code, says: [error.message.replace(/ \[[^\]]*\]$/, "")] };
  }
}
