/** @file The six claims of the study as configurations of the engine: Chen, Zhang and others,
 *  "Dynamic Neural Network is All You Need", 2023, and its ICLR text. docs/statistics.md has the
 *  columns that each claim reads. */
import { type ClaimsPlan, type ClaimsPlanInput, claimsPlanSchema } from "../../../schema/study/claims.js";

/** Checks that every claim about attacks rests on. */
const ASSAY = [
  "white-box at least as strong as transfer",
  "more steps or radius never weaker",
  "radius 0.5 gives about 100 %",
  "stronger than sign noise of the same norm",
  "zero gradients below 1 %",
  "routed gradient equals finite differences",
];

const points = (n: number): number => n / 100;

/** 3 points for each 10 % of the depth, from 10 % to 90 % of it, per factor of 10 in cost. */
const SLOPE = points(3 * 8) / Math.log10(0.9 / 0.1);

/** Spread between images of the logarithm of the minimum L2 of the early attack. It comes from the
 * quartiles of 98 images on the bundled ResNet-20, with all six early exits and seed 0 (95 %: 0.30
 * to 0.48). It was measured before the first early attack of the small tier. */
const SPREAD_OF_LOG_NORMS = 0.39;

/** 5 points of success. At the median norm, a shift of all log norms by d changes the success
 * within a radius by d / (spread sqrt(2 pi)), the density of the normal distribution. The
 * coefficients are per whole scale: from no dependency to full, and from dense exits to none. */
const EARLY = points(5) * SPREAD_OF_LOG_NORMS * Math.sqrt(2 * Math.PI);

const PROTOCOL: ClaimsPlanInput = {
  claims: [
    {
      id: "C0",
      title: "Dynamic networks are more robust than static ones",
      checks: ASSAY,
      endpoints: [
        {
          name: "white-box success, static minus dynamic",
          estimate: { kind: "difference", of: "static", minus: "joint routed" },
          direction: "greater",
          smallest: points(3),
        },
      ],
    },
    {
      id: "C1",
      title: "Attacks transfer better from dynamic to static networks than back",
      checks: ASSAY,
      endpoints: [
        {
          name: "transfer, dynamic to static minus static to dynamic",
          estimate: { kind: "difference", of: "joint to static", minus: "static to joint" },
          direction: "greater",
          smallest: points(3),
        },
      ],
    },
    {
      id: "C2",
      title: "Dynamic surrogates give more adversarial samples for the same computation",
      checks: ASSAY,
      endpoints: [
        {
          name: "log ratio of adversarial samples per MAC, dynamic over static",
          estimate: {
            kind: "log-ratio",
            of: { gain: "adversarial by joint", cost: "macs of joint" },
            to: { gain: "adversarial by static", cost: "macs of static" },
          },
          direction: "greater",
          smallest: Math.log(1.2),
        },
      ],
    },
    {
      id: "C3",
      title: "Attacks made on static networks do not raise the cost of dynamic ones",
      checks: ASSAY,
      endpoints: [
        {
          name: "rise of the cost fraction",
          estimate: { kind: "difference", of: "cost attacked", minus: "cost clean" },
          direction: "less",
          reference: 0.05,
          sides: 1,
        },
      ],
      controls: [
        {
          name: "a slowdown attack exceeds the margin",
          estimate: { kind: "difference", of: "cost slowdown", minus: "cost clean" },
          side: "above",
          bound: 0.05,
        },
        {
          name: "sign noise stays below the margin",
          estimate: { kind: "difference", of: "cost noise", minus: "cost clean" },
          side: "below",
          bound: 0.05,
        },
      ],
    },
    {
      id: "C4",
      title: "An earlier first exit is more robust",
      checks: ASSAY,
      endpoints: [
        {
          name: "slope of changed routed labels on log cost of the first exit",
          estimate: { kind: "slope", columns: ["changed at 1", "changed at 2", "changed at 3", "changed at 4"] },
          direction: "greater",
          smallest: SLOPE,
        },
      ],
    },
    {
      id: "C5",
      title: "The early attack is easier when layers depend less on each other and exits are sparse",
      checks: ASSAY,
      endpoints: (["dependency", "sparsity"] as const).map((term) => ({
        name: `coefficient of ${term} on log minimum L2`,
        estimate: {
          kind: "regression",
          outcome: "log minimum L2",
          term,
          others: [term === "dependency" ? "sparsity" : "dependency", "exits"],
          factors: ["architecture"],
        },
        direction: term === "dependency" ? "greater" : "less",
        smallest: EARLY,
      })),
    },
  ],
};

/** The plan of the protocol.
 * @example protocolClaims().claims.map((claim) => claim.id) // C0 to C5 */
export const protocolClaims = (): ClaimsPlan => claimsPlanSchema.parse(PROTOCOL);
