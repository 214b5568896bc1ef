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
