/** @file Everything that decides the numbers of a training run, and what a run tells while it goes.
 *  A run is a pure function of its config, its data and its model: the run folder keeps the config, so that a resume or
 *  a repeat is the same run. */
import type { Augmentation } from "../../data/augment.js";
import type { Recipe } from "../../schema/training.js";

/** Random changes of training images (never of validation or test images). */
export type AugmentConfig = Augmentation;

/** SGD with momentum (Sutskever et al. 2013 form of PyTorch: v = m*v + g; p -= lr*(v or g + m*v)). */
export interface SgdConfig {
  /** Stochastic gradient descent. */
  readonly kind: "sgd";
  /** Share of the last update that the next one keeps. */
  readonly momentum: number;
  /** Whether the momentum is Nesterov's. */
  readonly nesterov: boolean;
  /** Factor of the parameters that the gradient gets. */
  readonly weightDecay: number;
}

/** Adam (Kingma & Ba 2015) adds weightDecay * p to the gradient; AdamW (Loshchilov & Hutter 2019) shrinks p by lr * weightDecay. */
export interface AdamConfig {
  /** adam adds the decay to the gradient; adamw shrinks the parameters themselves. */
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

/** The learning rate at each step; `peak` is its highest value.
 *  one-cycle: linear from peak/divisor up to peak in the first `warmup` share of steps, then cosine down to
 *  peak/divisor/finalDivisor (Smith 2018, as in PyTorch's OneCycleLR with three_phase off but a linear rise).
 *  cosine: half a cosine from peak to 0. multi-step: peak, times `factor` at each milestone (shares of the run). */
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

/** Coefficient of each exit's loss. ramp: tau_i(t) rises linearly from 0.01 to the exit's cost fraction over the run, the
 *  final exit's is 1 (Kaya et al. 2019). equal: 1 for all. Numbers: one per exit, the final one included. */
export type ExitWeights = "ramp" | "equal" | readonly number[];

/** How PGD attacks training images (Madry et al. 2018). */
export interface AdversarialConfig {
  /** Linf radius, in pixel units [0,1]. */
  readonly radius: number;
  /** Length of a step, in pixel units. */
  readonly stepSize: number;
  /** Steps of PGD for each batch. */
  readonly steps: number;
  /** Which loss PGD ascends: of the final exit, the mean over exits, or the strongest exit of each sample. */
  readonly target: "final" | "average" | "max";
  /** Share of the attacked loss in the total; the rest is the clean loss. */
  readonly weight: number;
}

/** How exits learn from the final exit (Hinton et al. 2015). */
export interface DistillConfig {
  /** Logits are divided by it before the softmax. */
  readonly temperature: number;
  /** Share of the distillation term in each early exit's loss; the rest is cross-entropy. */
  readonly weight: number;
}

/** Every setting of a training run. */
export interface TrainingConfig {
  /** How exits learn. */
  readonly recipe: Recipe;
  /** Passes over the training records. */
  readonly epochs: number;
  /** Images of a step. */
  readonly batch: number;
  /** Decides every random number. */
  readonly seed: number;
  /** The optimizer with its settings. */
  readonly optimizer: OptimizerConfig;
  /** Weight decay on norms, biases and head mixes too (default: on weights of convolutions and linear layers only). */
  readonly decayAll: boolean;
  /** How the learning rate changes. */
  readonly schedule: ScheduleConfig;
  /** How training images are varied. */
  readonly augment: AugmentConfig;
  /** Weight of each exit's loss. */
  readonly exitWeights: ExitWeights;
  /** Share of the label that is spread over all classes. */
  readonly labelSmoothing: number;
  /** Largest norm of all gradients together; larger ones are scaled down to it. */
  readonly clipNorm: number | undefined;
  /** Decay a step of the running average of weights that is evaluated and saved instead of the last weights. */
  readonly ema: number | undefined;
  /** Weight of the new value in BatchNormalization's running averages (PyTorch's momentum). */
  readonly statisticsMomentum: number;
  /** How early exits learn from the final one. Undefined: they do not. */
  readonly distill: DistillConfig | undefined;
  /** The attack that training images are put under. Undefined: none. */
  readonly adversarial: AdversarialConfig | undefined;
}

/** What one step tells. Accuracies are per exit, in order, of the batch just trained on. */
export interface StepReport {
  /** The epoch, counted from 0. */
  readonly epoch: number;
  /** Steps done in this epoch, and in all. */
  readonly step: number;
  /** Steps done in all. */
  readonly totalStep: number;
  /** Steps of a whole epoch. */
  readonly stepsPerEpoch: number;
  /** Epochs that the run will have. */
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
