/** @file Makes docs/attacks.md from the catalogue of attacks and from the comparisons with the original implementations
 *  (bench/records/attack-reference). scripts/make-docs.mjs calls it. */

const code = (text) => `\`${text}\``;
const codes = (texts) => texts.map(code).join(", ");

/** What an entry's parameters mean, one row each. */
const parameterRows = (entries) =>
  entries.flatMap(({ name, parameters }) =>
    parameters.map((one, i) => [i === 0 ? code(name) : "", code(one.name), one.default, one.about]),
  );

const goalRows = (goals) =>
  goals.map((goal) => [
    code(goal.name),
    goal.about,
    goal.success,
    goal.takesLoss ? "any" : "its own",
    goal.targeted ? "yes" : "no",
    goal.source,
  ]);

const methodRows = (methods) =>
  methods.map((method) => [
    code(method.name),
    method.about,
    method.access,
    codes(method.norms),
    method.budget,
    method.targeted ? "yes" : "no",
    codes(method.losses),
    method.source,
  ]);

/** Settings of an attack as one cell. */
const settings = ({ method, ...rest }) =>
  [method, ...Object.entries(rest).map(([key, value]) => `${key} ${value}`)].join(", ");

const number = (value) => (value === null ? "infinite" : Number(value.toPrecision(4)));

const MEASURES = {
  robust: "robust accuracy",
  median: "median distance",
  common: "median distance where theirs succeeds",
  targeted: "share that reaches its target",
  fooled: "share whose answer changes",
  last: "share at the final exit",
};

const referenceRows = (compared) =>
  compared.map((one) => [
    one.reference,
    settings(one.attack),
    one.samples,
    MEASURES[one.measure],
    number(one.theirs),
    one.range[0] === one.range[1] ? "" : `${number(one.range[0])} to ${number(one.range[1])}`,
    seeded(one),
    isInside(one) ? "yes" : "**no**",
  ]);

/** Records of universal perturbations state the range of the seeds alone. */
const allowedOf = ({ allowed, range: [low, high] }) => allowed ?? [low - 0.03, high + 0.03];

function isInside(one) {
  const [low, high] = allowedOf(one);
  const judged = one.judged ?? one.ours;
  return judged !== null && judged >= low && judged <= high;
}

/** The median of our seeds, and their range where there are several. */
const seeded = ({ ours, seeds = [] }) =>
  seeds.length < 2 ? number(ours) : `${number(ours)} (${number(Math.min(...seeds))} to ${number(Math.max(...seeds))})`;

/** docs/attacks.md. */
export function attacksPage({ goals, methods, losses, named }, compared, { table, made }) {
  return `${made}
# Attacks

An attack is a goal, a method and a budget. The goal says what counts as success. The method searches for an image. The
budget is a norm and a radius, in pixel units: inputs lie in [0,1]. [attack-file.md](attack-file.md) says how to write one.
\`dynn attacks\` prints these tables, and \`dynn attacks NAME\` one entry.

\`--attacks\` takes the name of any method, which then attacks the final exit with its defaults. It also takes these names:

${table(
  ["name", "attack"],
  named.filter(({ name }) => !methods.some((m) => m.name === name)).map(({ name, about }) => [code(name), about]),
)}
## Goals

The attack makes what the second column says.

${table(["goal", "the attack makes ...", "success", "loss", "targeted form", "source"], goalRows(goals))}
${table(["goal", "parameter", "default", "meaning"], parameterRows(goals))}
## Methods

*Access* is what the attacker sees. \`gradient\`: everything. \`scores\`: the loss that the goal is about. \`label\`: whether the
goal is met. \`cost\`: that, and the cost and the confidence of the routed answer. *Budget*: \`radius\` needs one; \`closest\`
searches for the nearest image, and a radius says which successes count.

${table(["method", "what it does", "access", "norms", "budget", "targeted form", "losses", "source"], methodRows(methods))}
The parameters of each method, with defaults:

${table(["method", "parameter", "default", "meaning"], parameterRows(methods))}
## Losses of one exit

${table(
  ["loss", "what it is", "source"],
  losses.map(({ name, about, source }) => [code(name), about, source]),
)}
## Published attacks on gates

\`ilfo\`, \`gradauto\` and \`gradmdm\` follow the published code of three attacks that open gates: Haque et al., "ILFO:
Adversarial attack on adaptive neural networks", CVPR 2020; Pan et al., "GradAuto: Energy-oriented attack on dynamic
neural networks", ECCV 2022; Pan et al., "GradMDM: Adversarial attack on dynamic networks", TPAMI 2023. g is the
probability of a gate, sigmoid(score - threshold), and the distance is squared in normalised space.

| name | descends | Adam | iterate that counts |
| --- | --- | --- | --- |
| \`ilfo\` | 1e5 sum relu(1/2 - g) + distance | 0.0005, 1000 steps | of the smallest objective |
| \`gradauto\` | the gradient of sum relu(1/2 - g) without its part against that of -sum relu(g - 1/2), at length 1, times the number of values; plus the distance | 0.01, 300 steps | the last |
| \`gradmdm\` | -1.5e5 times the 3.5-norm of min(g, 1/2), plus 100 times the distance | 0.01, 100 steps, the first 10 with plain gradients of the 1-norm | the last |

GradMDM also adjusts gradients where a gate reads a value. The gradient through the gate and the one through later
blocks get length 1. The latter is multiplied by the number of open gates from there on, and the sum loses its part
against the gradient of the 50-norm of 1 - max(g, 1/2), which is adjusted in the same way with closed gates.

What the published code does, and ours keeps: the image is (tanh(c (u + w)) + 1) / 2 with u the normalised clean image
and c = 1 (ILFO) or 0.8. The code does not apply the inverse of tanh to u. So w = 0 gives an image of strong contrast,
not the clean image.
Nothing bounds the distance.

What differs:

- Images stay in [0,1]. The published code bounds normalised values by constants such as -2.22 and 2.5, beyond the
  pixels of most images. A model that does not state its normalisation counts as one of mean 1/2 and deviation 1/4.
- Recovery is in MACs. ILFO's table of costs has two entries that outweigh all others, and GradAuto and GradMDM count
  blocks alike.
- Success is judged with hard gates, and again after rounding to 8 bits.
- SkipNet's gates pass gradients straight through, and so do ours by default.
- GradMDM's power for open gates is 50 there for gates trained by reinforcement and 0.35 for others. \`keepPower\` is 50.
- With a radius, Adam moves the pixels from the clean image, and each step is projected into the ball. This form is ours.
- \`keepLogits\` is the option of GradAuto's and GradMDM's code that keeps accuracy: a weight of the squared distance
  between the final logits and those of the clean image, 1e5 there. It is 0 by default, and \`ilfo\` takes it too.
  \`slowdown\` with \`keepLabel\` keeps the label alone.

How much they open depends on how gates were trained. On the zoo's ResNet-56 with gates, 12 images, ILFO brings back
83 % of the saved work (95 % interval 79-87) and GradAuto 99 % (98-100), without a limit on the distance. Within 8/255, ILFO brings
back 93 % (89-97) and the loss on scores 54 % (52-56). On a small ResNet-20 whose gates read the image (\`test/attacks/gate-openers.slow.test.ts\`, 12 images), ILFO brings back
82 to 94 % without a limit. The test trains that network, and kernels of different machines give different weights. On the same network with gates that ignore the image, ILFO brought back 39 %
and GradAuto 97 %: the probabilities of such gates are saturated, and ILFO's gradient is then small beside that of the
distance. GradAuto gives its gradient length 1.

## Against the original implementations

Both sides attack the same network, the final exit of a ResNet-20 with five exits, on the first test records of CIFAR-10.
\`test/fixtures/attack-reference/values.json\` holds what the original implementations gave, with versions and parameters.
\`DYNN_ATTACK_REFERENCE=FAMILY npx vitest run test/attacks/reference.slow.test.ts\` makes ours again. The last column
says whether they agree: deterministic attacks within 1.5 points of robust accuracy, or 3 % of the distance; random ones within
3 points, or 3 %, of the range of their seeds. Where they ran one seed and ours ran three, the range is that of ours, and
their value must lie in it. A median is over all samples: misclassified ones count as 0, failures as infinite.

${table(["original", "ours", "samples", "measure", "theirs", "their seeds", "ours", "agrees"], referenceRows(compared))}
Where they differ, and why:

- APGD in L1 begins with a fifth of the values, as in the paper. The code of the authors begins with those of a projected
  noise, and takes rounding errors of untouched values for changes. With both imitated, three seeds of ours give 0.172,
  0.188 and 0.219, and with the start alone 0.172, 0.203 and 0.203. The attack of the paper is stronger here.
- FMN in L2 is compared where the original succeeds. On two of 64 images it comes to rest on the boundary and fails.
- Square Attack of the authors ran one seed, and misses one image of 32 that all three seeds of ours find.
- HopSkipJump with 12 steps has eight images, and the original ran one seed. All three seeds of ours come nearer.
`;
}
