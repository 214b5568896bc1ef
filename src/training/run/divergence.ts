/** @file When a run has left the numbers: how that is seen, and what is said. A state with a number that is none is never saved. */
import { DynnError } from "../../core/errors.js";
import type { Tensor } from "../../core/tensor.js";

/** Whether no element is NaN or infinite. */
export const allFinite = ({ data }: Tensor): boolean =>
  data.every((value: number | bigint) => Number.isFinite(Number(value)));

/** The failure of a run that has diverged.
 * @param epoch and step, from 0 on: where it happened
 * @param what  is no number any more */
export const diverged = (epoch: number, step: number, rate: number, what = "the loss"): DynnError =>
  new DynnError(
    "training/diverged",
    `epoch ${epoch + 1}, step ${step + 1}: ${what} is no number any more at learning rate ${rate.toPrecision(3)}. The last good checkpoint is kept. Train with a lower learning rate, or limit the norm of the gradient to 1.`,
    { epoch, step, learningRate: rate, options: ["lr", "clip"] },
  );
