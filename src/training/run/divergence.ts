/** @file Detects a diverged run, and makes its error. A state with a NaN or infinite number is
 *  never saved. */
import { DynnError } from "../../core/errors.js";
import type { Tensor } from "../../core/tensor.js";

/** Whether no element is NaN or infinite. */
export const allFinite = ({ data }: Tensor): boolean =>
  data.every((value: number | bigint) => Number.isFinite(Number(value)));

/** The error of a run that has diverged.
 * @param epoch and step of the divergence, counted from 0
 * @param what the quantity that is not finite */
export const diverged = (epoch: number, step: number, rate: number, what = "the loss"): DynnError =>
  new DynnError(
    "training/diverged",
    `epoch ${epoch + 1}, step ${step + 1}: ${what} is not a finite number at learning rate ${rate.toPrecision(3)}. The last good checkpoint is kept. Train with a lower learning rate, or limit the norm of the gradient to 1.`,
    { epoch, step, learningRate: rate, options: ["lr", "clip"] },
  );
