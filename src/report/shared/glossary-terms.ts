/** @file The words that reports explain, with their sentences. Made by scripts/make-docs.mjs from
 *  docs/glossary.md. Change that, not this file. */

/** The meaning of each term, by the term. */
export const GLOSSARY: Readonly<Record<string, string>> = {
  "8-bit": "Measured after the attacked image was rounded to 8 bits, as a file or a camera does.",
  access: "What an attacker sees of a model: gradient, scores, label or cost.",
  backbone: "A network without the heads of its early exits.",
  block:
    "A residual block. In kernels: channels that lie together in the blocked layout. In studies: a cell with one training seed.",
  "calibration error":
    "The mean distance between confidence and accuracy, over 15 groups of samples with similar confidence.",
  clean: "Without an attack.",
  confidence: "How sure an exit is, by the rule of the policy, from its logits.",
  confusion:
    "How much the exits disagree: the sum over exits of the L1 distance between an exit's softmax and the final one, in standard deviations of all samples (Kaya et al. 2019).",
  cost: "Multiply-accumulates (MACs) of one sample: of all that ran for it. As a share, of the full network.",
  cut: "A value that separates all nodes before it from all after it. A head may be put there.",
  "dynamic network": "A network whose work depends on the input.",
  "early:margin": "The early attack with a loss of margins: the final label stays, the early exits change.",
  "early:published": "The early attack with the loss and loop of the study's published code.",
  "EEC curve": "The share of samples that are answered by each share of the full cost. A higher curve saves more.",
  efficacy:
    "The area under the EEC curve. Step is exact: 1 minus the mean cost. Trapezoid joins the exits by straight lines, as published with DeepSloth (Hong et al. 2021).",
  eligible: "A sample that an attack could win: its goal did not hold when clean.",
  epoch: "One pass over the training images.",
  exit: "A place where a network answers. The last is the final exit, the others are early exits.",
  fallback: "Which exit answers when no early exit fires: the final one, or the most confident one.",
  gate: "A small network that decides for each input whether a block runs. It is open or closed: its bit is 1 or 0.",
  goal: "What an attack wants: a test of success, and the losses that lead towards it.",
  head: "The layers from a cut to the logits of an exit.",
  interval:
    "The 95 % interval of a rate: the true rates that fit the observed rate on this many samples (Wilson's score interval).",
  latency: "The time from the arrival of a batch to its last answer.",
  "learning rate": "How far one step of the training moves the weights.",
  loss: "How wrong answers are, as one number. Training lowers it; an attack raises it, or lowers it for the answer that it wants.",
  MAC: "One multiplication with one addition: the unit of cost.",
  method: "How an attack searches for an image.",
  path: "The units that ran for one input: the exit where the work stops, and the bits of the gates before it.",
  policy: "Rule, thresholds, fallback, a temperature per exit where it has some, and thresholds of the gates.",
  radius:
    "The largest change that an attack may make, for pixels in [0,1]. L∞ bounds each value, L2 the root of the summed squares over the image.",
  recovery: "The share of the saved cost that an attack takes back.",
  resist:
    "What a sample does whose answer is right on the clean image and on every image within a budget that any attack found.",
  "robust accuracy": "The share of all samples whose judged answer is still right after the attack.",
  "routed answer": "What the deployed network returns: label, confidence and path. The path has a cost.",
  rule: "How confidence is read and when an exit fires: max-softmax, entropy, margin, patience.",
  slowdown: "An attack that wants no early exit to fire, so that each input costs more.",
  "speed-up": "The time of the static network divided by the time of the dynamic one, in the same round.",
  "standard deviation":
    "How far single results lie from their mean: the root of the mean squared distance, with the divisor n - 1.",
  "static network": "A network in which every input pays for every layer.",
  success: "The share of the eligible samples that the attack wins.",
  surrogate: "The model on which a transfer attack searches.",
  temperature: "A number that divides the logits of an exit, so that its confidences fit its accuracy.",
  threshold: "The confidence at which an exit fires, or the score from which on a gate is open.",
  transfer: "An attack searches on one network and is judged on another.",
  validation: "Records that choices are made on: thresholds, the best epoch.",
  "white-box": "Of an attack that sees the gradient of the network that it attacks.",
};
