/** @file The configuration of a training run, and the reports of its steps. A run is a pure
 *  function of its configuration, its data and its model. The run folder keeps the configuration,
 *  so that a resumed or repeated run gives the same result. */
import type { Augmentation } from "../../data/augment.js";
import type { Recipe } from "../../schema/training.js";

/** Random changes of training images (never of validation or test images). */
export type AugmentConfig = Augmentation;

/** SGD with momentum in PyTorch's form: `v = m*v + g; p -= lr*(v or g + m*v)` (Sutskever et al.
 * 2013). */
export interface SgdConfig {
  /** Stochastic gradient descent. */
  readonly kind: "sgd";
  /** Share of the last update that the next one keeps. */
  readonly momentum: number;
  /** Whether the momentum is Nesterov's. */
  readonly nesterov: boolean;
  /** Weight decay: the gradient gets this factor times the parameters. */
  readonly weightDecay: number;
}

/** Adam (Kingma & Ba 2015) adds `weightDecay * p` to the gradient. AdamW (Loshchilov & Hutter 2019)
 * subtracts `lr * weightDecay * p` from p. */
export interface AdamConfig {
  /** adam adds the decay to the gradient. adamw subtracts it from the parameters. */
  readonly kind: "adam" | "adamw";
  /** Decay of the mean of gradients. */
  readonly beta1: number;
  /** Decay of the mean of squared gradients. */
  readonly beta2: number;
  /** Added to the root of the mean square. */
  readonly epsilon: number;
  /** Factor of the parameters in the decay. */
  readonly weightDecay: number;
}

/** The optimizer, with all its numbers. */
export type OptimizerConfig = SgdConfig | AdamConfig;

/** The learning rate at each step. `peak` is its highest value. one-cycle: linear from peak/divisor
 * up to peak in the first `warmup` share of steps, then cosine down to peak/divisor/finalDivisor.
 * This is PyTorch's OneCycleLR without three_phase, but with a linear rise (Smith 2018). cosine:
 * half a cosine from peak to 0. multi-step: peak, times `factor` at each milestone (shares of the
 * run). */
export type ScheduleConfig =
  | { readonly kind: "constant"; readonly peak: number }
  | {
      readonly kind: "one-cycle";
      readonly peak: number;
      readonly warmup: number;
      readonly divisor: number;
      readonly finalDivisor: number;
    }
  | { readonly kind: "cosine"; readonly peak: number; readonly warmup: number }
  | {
      readonly kind: "multi-step";
      readonly peak: number;
      readonly milestones: readonly number[];
      readonly factor: number;
    };

/** Coefficient of each exit's loss. ramp: rises linearly from 0.01 to the exit's cost fraction over
 * the run, and stays 1 for the final exit (Kaya et al. 2019). equal: 1 for all. Numbers: one per
 * exit, with the final exit. */
export type ExitWeights = "ramp" | "equal" | readonly number[];

/** The PGD attack on training images (Madry et al. 2018). */
export interface AdversarialConfig {
  /** Linf radius, in pixel units [0,1]. */
  readonly radius: number;
  /** Length of a step, in pixel units. */
  readonly stepSize: number;
  /** Steps of PGD for each batch. */
  readonly steps: number;
  /** The loss that PGD ascends: the loss of the final exit, the mean over exits, or the strongest
   * exit of each sample. */
  readonly target: "final" | "average" | "max";
  /** Share of the attacked loss in the total. The clean loss has the rest. With 1, a step runs on
   * attacked images alone, and losses and accuracies of training are theirs (Madry et al. 2018;
   * with one step of PGD, Wong et al. 2020). */
  readonly weight: number;
}

/** How exits learn from the final exit, or from the network that gates start on (Hinton et al.
 * 2015). */
export interface DistillConfig {
  /** The logits are divided by this number before the softmax. */
  readonly temperature: number;
  /** Share of the distillation term in the loss of an exit that learns so. Cross-entropy has the
   * rest. */
  readonly weight: number;
}

/** How gates learn to close. budget: straight-through gradients, and a loss that draws the share of
 * work towards a target. ponder: halting shares, and a price for each block that runs. */
export type GatesConfig = GateBudgetConfig | PonderConfig;

/** A budget for the gated work (Verelst & Tuytelaars 2020). */
export interface GateBudgetConfig {
  readonly kind: "budget";
  /** Share of the gated blocks' work that is to be done, from 0 to 1. */
  readonly target: number;
  /** Factor of the budget's loss. */
  readonly weight: number;
  /** Share of the run in which bounds on each gate's rate widen from the target. */
  readonly relax: number;
  /** Share of the images for which each gate is to be open, and to be closed, when its bounds are
   * widest. A gate outside of them costs more. */
  readonly floor: number;
  /** Share of the run, at its end, without noise on the scores. Before, the noise shrinks. */
  readonly quiet: number;
}

/** A price for the blocks that run (Graves 2016). */
export interface PonderConfig {
  readonly kind: "ponder";
  /** Loss of one block, in units of cross-entropy. */
  readonly weight: number;
}

/** Every setting of a training run. */
export interface TrainingConfig {
  /** How exits learn. */
  readonly recipe: Recipe;
  /** Passes over the training records. */
  readonly epochs: number;
  /** Images per step. */
  readonly batch: number;
  /** The seed of every random number. */
  readonly seed: number;
  /** The optimizer with its settings. */
  readonly optimizer: OptimizerConfig;
  /** Whether weight decay also applies to norms, biases and head mixes. If false, it applies to
   * weights of convolutions and linear layers only. */
  readonly decayAll: boolean;
  /** How the learning rate changes. */
  readonly schedule: ScheduleConfig;
  /** How training images are varied. */
  readonly augment: AugmentConfig;
  /** Weight of each exit's loss. */
  readonly exitWeights: ExitWeights;
  /** Factor of the gradient that heads of early exits send into the backbone, from 0 to 1.
   * Undefined: 1. */
  readonly backboneGradient?: number | undefined;
  /** Share of the label that is spread over all classes. */
  readonly labelSmoothing: number;
  /** Largest L2 norm of all gradients together. Larger gradients are scaled down to it. */
  readonly clipNorm: number | undefined;
  /** Decay per step of the running average of weights. With a number, the average is evaluated and
   * saved instead of the last weights. */
  readonly ema: number | undefined;
  /** Weight of the new value in BatchNormalization's running averages (PyTorch's momentum). */
  readonly statisticsMomentum: number;
  /** How early exits learn from the final exit, and networks with gates from the network without.
   * Undefined: no distillation. */
  readonly distill: DistillConfig | undefined;
  /** The attack on training images. Undefined: no attack. */
  readonly adversarial: AdversarialConfig | undefined;
  /** How gates learn to close. Undefined: the network has no gates. */
  readonly gates?: GatesConfig | undefined;
  /** When to stop before the last epoch. Undefined: never. */
  readonly stop?: StopConfig | undefined;
}

/** Early stopping on the validation records (Prechelt 1998). */
export interface StopConfig {
  /** The run stops after this many epochs in which neither validation accuracy nor validation loss
   * improved, as means over early exits. The weights of the most accurate epoch are kept. */
  readonly patience: number;
}

/** The report of one step. Accuracies are per exit, in order, on the batch of this step. */
export interface StepReport {
  /** The epoch, counted from 0. */
  readonly epoch: number;
  /** Steps done in this epoch. */
  readonly step: number;
  /** Steps done in the run. */
  readonly totalStep: number;
  /** Steps of a whole epoch. */
  readonly stepsPerEpoch: number;
  /** Epochs of the whole run. */
  readonly epochs: number;
  /** Total loss of the step. */
  readonly loss: number;
  /** Share of right answers of each exit in this batch. */
  readonly accuracy: readonly number[];
  /** Learning rate of the step. */
  readonly learningRate: number;
  /** Images in the batch. */
  readonly images: number;
}
