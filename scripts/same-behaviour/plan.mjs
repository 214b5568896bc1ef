/** @file The command lines that are run. Few samples and few steps: it is enough that each kind of result is made.
 *  One thread everywhere, because the number of threads may change the last digits. */

const NETWORKS = ["resnet20-static", "resnet20-joint", "resnet56-joint"];
const JOINT = "zoo:resnet20-joint";
const ONE = ["--threads", "1"];

/** Every objective under the optimizers that suit it. Old names of objectives, which later versions read too. */
const ATTACKS = [
  { name: "fgsm", objective: "misclassify:final", optimizer: "fgsm", radius: "8/255" },
  { name: "pgd", objective: "misclassify:final", radius: "2/255", steps: 4, randomStart: true, restarts: 2 },
  { name: "pgd margin", objective: "misclassify:final", radius: "2/255", steps: 3, loss: "margin" },
  { name: "pgd exit 1", objective: "misclassify:1", radius: "2/255", steps: 3, randomStart: "1/255" },
  { name: "pgd l2", objective: "misclassify:final", norm: "l2", radius: "32/255", steps: 4, randomStart: true },
  { name: "cw", objective: "misclassify:final", optimizer: "adam-tanh", steps: 12, searchSteps: 3, c: 10 },
  {
    name: "cw radius",
    objective: "routed",
    optimizer: "adam-tanh",
    norm: "linf",
    radius: "8/255",
    steps: 8,
    randomStart: true,
    stopAtSuccess: true,
  },
  { name: "average", objective: "average", radius: "2/255", steps: 3, randomStart: true },
  { name: "max", objective: "max", radius: "2/255", steps: 2, randomStart: true, samples: 8 },
  { name: "routed", objective: "routed", radius: "2/255", steps: 4, randomStart: true },
  { name: "early", objective: "early:proper", radius: "8/255", steps: 6, randomStart: true },
  {
    name: "early weights",
    objective: "early:proper",
    norm: "l2",
    radius: 0.5,
    steps: 3,
    kappa: 2,
    keep: 0.5,
    weight: 3,
  },
  { name: "early paper", objective: "early:paper", steps: 12, checkFrom: 2, samples: 8 },
  { name: "early paper alpha", objective: "early:paper", steps: 6, alpha: 0.01, checkFrom: 0, samples: 8 },
  { name: "slowdown", objective: "slowdown", radius: "8/255", steps: 5, randomStart: 0.002, stepSize: 0.002 },
];
const STATIC_ATTACKS = ATTACKS.filter(({ objective }) => objective === "misclassify:final");
const ROUTED_ATTACKS = ATTACKS.filter(({ name }) => ["routed", "early", "slowdown"].includes(name));

const audit = (name, model, attacks, ...args) => ({
  name: `audit-${name}`,
  args: ["audit", model, "--attack-file", "attacks.json", "--json", "audit.json", "--keep", "kept", ...ONE, ...args],
  files: { "attacks.json": attacks },
});

const calibrate = (name, ...args) => ({
  name: `calibrate-${name}`,
  args: [
    ...["calibrate", JOINT, "--samples", "100", "--validation-samples", "150", "--worst-samples", "8"],
    ...["--json", "calibration.json", "-o", "calibrated.onnx", ...ONE, ...args],
  ],
});

const train = (name, architecture, recipe, ...args) => ({
  name: `train-${name}`,
  args: [
    ...["train", architecture, "--data", "sample", "--recipe", recipe, "-o", "model.onnx"],
    ...["--epochs", "1", ...ONE, ...args],
  ],
});
const narrow = (name, architecture, recipe, ...args) => train(name, architecture, recipe, "--width", "0.25", ...args);
const after = (needed, one) => ({ ...one, needs: [needed] });

const convert = (name, ...args) => ({
  name: `convert-${name}`,
  args: ["convert", "zoo:resnet20-static", "--data", "sample", "--epochs", "1", "-o", "model.onnx", ...ONE, ...args],
});

const exported = (name, format, out, ...args) => ({
  name: `export-${name}`,
  args: ["export", JOINT, "--format", format, "--samples", "40", "-o", out, ...ONE, ...args],
});

const profile = (name, model, ...args) => ({
  name: `profile-${name}`,
  args: [
    ...["profile", model, "--samples", "12", "--validation-samples", "100", "--rounds", "1", "--batch", "1,5"],
    ...["--json", "profile.json", ...ONE, ...args],
  ],
});

const gradient = (name, model, ...args) => ({
  name: `gradient-${name}`,
  args: ["gradient", model, "-o", "gradient.onnx", ...args],
});

/** @type {readonly { name: string, args: readonly string[], files?: object, stdout?: string, needs?: readonly string[] }[]}
 *  `files` are written first; `stdout` keeps what is printed; `needs` names cases whose files are used. */
export const CASES = [
  ...NETWORKS.flatMap((network) => [
    { name: `inspect-${network}`, args: ["inspect", `zoo:${network}`, "--json", "inspect.json"] },
    { name: `graph-${network}`, args: ["inspect", `zoo:${network}`, "--graph"], stdout: "graph.txt" },
    gradient(network, `zoo:${network}`),
  ]),
  gradient("exit0", JOINT, "--of", "exit0"),
  gradient("sum", JOINT, "--loss", "sum"),
  audit("all", JOINT, ATTACKS, "--samples", "24", "--radii", "1/255,4/255", "--curve-steps", "3", "--seed", "7"),
  audit("fixed", JOINT, ROUTED_ATTACKS, "--samples", "12", "--threshold", "0.8,0.7,never,0.9,0.6,0.5", "--batch", "5"),
  ...["entropy", "margin", "patience"].map((rule) =>
    audit(
      rule,
      JOINT,
      ROUTED_ATTACKS,
      "--samples",
      "8",
      "--rule",
      rule,
      "--fallback",
      "most-confident",
      "--threshold",
      "budget:60%",
    ),
  ),
  audit(
    "resnet20-static",
    "zoo:resnet20-static",
    STATIC_ATTACKS,
    "--samples",
    "8",
    "--radii",
    "2/255",
    "--curve-steps",
    "2",
  ),
  audit("resnet56-joint", "zoo:resnet56-joint", ROUTED_ATTACKS, "--samples", "6"),
  {
    name: "audit-presets",
    args: ["audit", JOINT, "--attacks", "all", "--samples", "3", "--radii", "0", "--json", "audit.json", ...ONE],
  },
  calibrate("rad"),
  calibrate("per-exit", "--thresholds", "per-exit", "--temperature", "--target", "budget:50%"),
  calibrate("entropy", "--rule", "entropy", "--fallback", "most-confident", "--target", "rad:10%"),
  calibrate("worst-cost", "--target", "rad:60%", "--worst-cost", "95%"),
  calibrate("worst-accuracy", "--worst-accuracy", "20%", "--eps", "1/255"),
  profile("joint", JOINT, "--baseline", "zoo:resnet20-static"),
  profile("static", "zoo:resnet20-static"),
  profile("thresholds", JOINT, "--thresholds", "0.7,0.9", "--rules", "margin,max-softmax"),
  narrow("static", "resnet20", "static", "--epochs", "2"),
  narrow("joint", "resnet20", "joint", "--epochs", "2", "--workers", "0"),
  after(
    "train-static",
    train("ic-only", "resnet20", "ic-only", "--width", "0.25", "--init", "../train-static/model.onnx"),
  ),
  after(
    "train-static",
    train("ic-distill", "resnet20", "ic-distill", "--width", "0.25", "--init", "../train-static/model.onnx"),
  ),
  after("train-joint", train("distill-file", "../train-joint/model.onnx", "distill")),
  narrow("adversarial", "resnet20", "adversarial", "--attack-steps", "2"),
  narrow(
    "adversarial-max",
    "resnet20",
    "adversarial",
    "--attack-steps",
    "1",
    "--attack-target",
    "max",
    "--exits",
    "30,60",
  ),
  narrow(
    "adversarial-average",
    "resnet20",
    "adversarial",
    "--attack-steps",
    "1",
    "--attack-target",
    "average",
    "--exits",
    "50",
  ),
  narrow(
    "adamw",
    "resnet20",
    "joint",
    "--optimizer",
    "adamw",
    "--schedule",
    "multi-step",
    "--ema",
    "0.9",
    "--clip",
    "1",
    "--label-smoothing",
    "0.1",
    "--augment",
    "flip,crop-zero:2,cutout:8",
    "--exits",
    "auto",
    "--head",
    "pool-linear",
    "--exit-weights",
    "equal",
  ),
  narrow("mobilenet", "mobilenet", "joint"),
  narrow("msdnet", "msdnet", "joint"),
  narrow("vgg16", "vgg16", "static"),
  narrow("wide-resnet", "wide-resnet-32-4", "static", "--width", "0.1"),
  convert("auto"),
  convert("places", "--exits", "20,60", "--recipe", "distill", "--head", "pool-linear"),
  exported("staged", "staged", "bundle"),
  exported("conditional", "conditional", "conditional.onnx", "--rule", "entropy", "--threshold", "0.5"),
  exported(
    "conditional-patience",
    "conditional",
    "conditional.onnx",
    "--rule",
    "patience",
    "--threshold",
    "2",
    "--fallback",
    "most-confident",
  ),
  exported("split", "split", "bundle"),
  exported("split-exit2", "split", "bundle", "--at", "exit2", "--rule", "margin", "--threshold", "0.4"),
  {
    name: "classify-model",
    args: ["classify", JOINT, "sample", "--samples", "40", "--batch", "7", "--json", "answers.json", ...ONE],
  },
  after("export-split-exit2", {
    name: "classify-wires",
    args: [
      "classify",
      "../export-split-exit2/bundle",
      "sample",
      "--samples",
      "60",
      "--wire",
      "all",
      "--batch",
      "4",
      "--json",
      "answers.json",
      ...ONE,
    ],
  }),
];
