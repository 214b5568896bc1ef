/** @file The learning rate as a pure function of the step, so that a resumed run continues on the
 *  same curve. Steps count from 0 to totalSteps - 1. */
import type { ScheduleConfig } from "./config.js";

type Of<Kind extends ScheduleConfig["kind"]> = Extract<ScheduleConfig, { readonly kind: Kind }>;

/** The learning rate of one step.
 * @param step       steps done so far, in [0, totalSteps)
 * @param totalSteps steps of the whole run */
export function learningRate(schedule: ScheduleConfig, step: number, totalSteps: number): number {
  switch (schedule.kind) {
    case "constant":
      return schedule.peak;
    case "one-cycle":
      return oneCycle(schedule, step, totalSteps);
    case "cosine":
      return warmCosine(schedule, step, totalSteps);
    case "multi-step":
      return multiStep(schedule, step, totalSteps);
  }
}

/** Smith 2018. Both phases end where they end in PyTorch's OneCycleLR: the peak is at step warmup *
 * totalSteps - 1, and the lowest rate at the last step. */
function oneCycle({ peak, warmup, divisor, finalDivisor }: Of<"one-cycle">, step: number, totalSteps: number): number {
  const [top, last] = [Math.max(0, warmup * totalSteps - 1), totalSteps - 1];
  const start = peak / divisor;
  if (step < top) return start + (peak - start) * (step / top);
  return cosineBetween(peak, start / finalDivisor, last > top ? (step - top) / (last - top) : 0);
}

/** Loshchilov & Hutter 2017, equation 5, without restarts. The warmup is linear (Goyal et al. 2017,
 * section 2.2). It starts above 0, because a step at rate 0 has no effect. */
function warmCosine({ peak, warmup }: Of<"cosine">, step: number, totalSteps: number): number {
  const top = warmup * totalSteps;
  if (step < top) return (peak * (step + 1)) / (top + 1);
  return cosineBetween(peak, 0, (step - top) / (totalSteps - top));
}

function multiStep({ peak, milestones, factor }: Of<"multi-step">, step: number, totalSteps: number): number {
  // Rounds, because 0.07 * 100 is not the whole number 7 in floating point.
  const passed = milestones.filter((share) => step >= Math.round(share * totalSteps)).length;
  return peak * factor ** passed;
}

/** Half a cosine from `from` (at share 0) to `to` (at share 1). */
const cosineBetween = (from: number, to: number, share: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
