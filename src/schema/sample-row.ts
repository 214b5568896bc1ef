/** @file One row of the results per sample, which data frames hold. */

/** One sample under one attack. */
export interface SampleRow {
  readonly attack: string;
  /** Seed of the attack. */
  readonly seed: number;
  /** Record number in the data set. */
  readonly sample: number;
  /** True class. */
  readonly label: number;
  /** Label of the judged answer when clean. */
  readonly cleanLabel: number;
  /** Exit where the attacked image stops. */
  readonly exit: number;
  /** Label of the routed answer for the attacked image. */
  readonly answer: number;
  /** Largest softmax probability of the answering exit. */
  readonly confidence: number;
  readonly eligible: boolean;
  readonly success: boolean;
  /** Distances from the clean image, in pixel units. */
  readonly linf: number;
  readonly l2: number;
  /** Images that the network evaluated for this sample. */
  readonly queries: number;
  readonly gradients: number;
  readonly forwardMacs: number;
  readonly backwardMacs: number;
  /** The sample's share of the attack's wall time, by MACs. Samples run in batches, so no clock
   * sees one alone. */
  readonly ms: number;
}

/** The same for a network with gates: the paths, and what they cost as a share of the full cost. */
export interface GatedSampleRow extends SampleRow {
  /** Bits of the gates on the clean image, as `showBits` writes them. */
  readonly cleanGates: string;
  readonly cleanCostFraction: number;
  /** Bits of the gates on the attacked image. */
  readonly gates: string;
  readonly costFraction: number;
}
