/** @file Mutants of the methods of attack, one for each method that no other table breaks: a factor that is wrong by 2, or
 *  a break of that kind. */
const CLIMB_TEST = "test/attacks/climb.test.ts";
const CLOSEST_TEST = "test/attacks/closest-linear.test.ts";
const CONTROLS_TEST = "test/attacks/controls.test.ts";
const DYNAMIC_TEST = "test/attacks/autoattack-dynamic.test.ts";
const QUERIES_TEST = "test/attacks/queries.test.ts";
const QUERY_STEPS_TEST = "test/attacks/query-steps.test.ts";
const UNIVERSAL_TEST = "test/attacks/universal.test.ts";

/** The mutant of each method in another table. */
export const ELSEWHERE = {
  pgd: "attacks/step-size-default",
  "adam-tanh": "attacks/adam-beta1",
  "apgd-ce": "autoattack/first-length",
  "apgd-dlr": "autoattack/dlr-spread",
  "apgd-t": "autoattack/targeted-dlr-spread",
  square: "autoattack/square-step",
};

const mutant = (method, find, replace, test, killedBy) => ({
  ...{ name: `methods/${method}`, method, find, replace, test, killedBy },
});

export const METHODS = [
  mutant(
    "fgsm",
    'stepSize: length(({ radius = 0 }) => radius, "length of the step"',
    'stepSize: length(({ radius = 0 }) => radius / 2, "length of the step"',
    "test/attacks/closed-form.test.ts",
    "FGSM moves each pixel by the radius",
  ),
  mutant(
    "bim",
    "parameters: { ...STEPS, randomStart: randomStart(false) },",
    "parameters: { ...STEPS, randomStart: randomStart(true) },",
    CLIMB_TEST,
    "that of the paper BIM",
  ),
  mutant(
    "mim",
    "plus(scaled, this.#sum, this.#decay)",
    "plus(scaled, this.#sum, this.#decay / 2)",
    CLIMB_TEST,
    "MI-FGSM with decay",
  ),
  mutant("nim", "this.#decay * stepSize", "2 * this.#decay * stepSize", CLIMB_TEST, "that of the paper NI-FGSM"),
  mutant("sim", "gradient.map((g) => g / 2 ** i)", "gradient.map((g) => g / 2 ** (i - 1))", CLIMB_TEST, "SIM"),
  mutant(
    "sini",
    "scales(momentum.ahead(image, stepSize), copies)",
    "scales(momentum.ahead(image, 2 * stepSize), copies)",
    CLIMB_TEST,
    "SI-NI-FGSM",
  ),
  mutant(
    "vmi",
    "[{ image }, ...neighbours(image, values.neighbours, values.beta * radius, key)]",
    "[{ image }, ...neighbours(image, values.neighbours, 2 * values.beta * radius, key)]",
    CLIMB_TEST,
    "VMI-FGSM",
  ),
  mutant(
    "vni",
    "{ image: momentum.ahead(image, values.stepSize) }, ...neighbours",
    "{ image: momentum.ahead(image, 2 * values.stepSize) }, ...neighbours",
    CLIMB_TEST,
    "VNI-FGSM",
  ),
  mutant("rfgsm", "image.length), size);", "image.length), size / 2);", CLIMB_TEST, "R-FGSM starts"),
  mutant("ffgsm", "=> 1.25 * radius", "=> 2.5 * radius", CLIMB_TEST, "FFGSM takes one step"),
  mutant(
    "dim",
    "{ ...MOMENTUM, ...diversity(0.5) }",
    "{ ...MOMENTUM, ...diversity(0.25) }",
    CLIMB_TEST,
    "DI-FGSM takes",
  ),
  mutant(
    "tim",
    "gaussian(reach, reach / sigmas)",
    "gaussian(reach, 2 * reach / sigmas)",
    CLIMB_TEST,
    "TI-FGSM smooths",
  ),
  mutant("tpgd", "p + deviation * noise[i]", "p + 2 * deviation * noise[i]", CLIMB_TEST, "TPGD climbs"),
  mutant("jitter", "=> deviation * v", "=> 2 * deviation * v", CLIMB_TEST, "gets noise of the stated deviation"),
  mutant(
    "eot-pgd",
    "uniform(key, values.draws * size, -values.noise, values.noise)",
    "uniform(key, values.draws * size, -2 * values.noise, 2 * values.noise)",
    CLIMB_TEST,
    "EOT-PGD follows",
  ),
  mutant("slide", "=> radius / 5,", "=> radius / 10,", CLIMB_TEST, "SLIDE changes"),
  mutant(
    "sign-noise",
    "normal(key, task.sample.pixels.length).map(Math.sign), radius)",
    "normal(key, task.sample.pixels.length).map(Math.sign), radius / 2)",
    CONTROLS_TEST,
    "of signs moves",
  ),
  mutant(
    "uniform-noise",
    "NORMS[task.budget.norm].start(task.sample.pixels, radius, key)",
    "NORMS[task.budget.norm].start(task.sample.pixels, radius / 2, key)",
    CONTROLS_TEST,
    "that is uniform",
  ),
  mutant(
    "gaussian-noise",
    "moved(task, normal(key, task.sample.pixels.length), radius)",
    "moved(task, normal(key, task.sample.pixels.length), radius / 2)",
    CONTROLS_TEST,
    "of normal numbers",
  ),
  mutant(
    "salt-and-pepper",
    "if (u < share / 2) return 0;",
    "if (u < share) return 0;",
    CONTROLS_TEST,
    "of salt and pepper",
  ),
  mutant("gaussian-blur", "share * widest * Math.max", "2 * share * widest * Math.max", CONTROLS_TEST, "a blur has"),
  mutant("contrast", "p + share * (grey - p)", "p + 2 * share * (grey - p)", CONTROLS_TEST, "of contrast is the first"),
  mutant(
    "rotate-translate",
    "most * ((2 * i) / (points - 1) - 1)",
    "2 * most * ((2 * i) / (points - 1) - 1)",
    CONTROLS_TEST,
    "a translation moves",
  ),
  mutant("deepfool", "1 + options.overshoot", "1 + 2 * options.overshoot", CLOSEST_TEST, "moves as far beyond"),
  mutant(
    "ddn",
    "success ? 1 - options.gamma : 1 + options.gamma",
    "success ? 1 - 2 * options.gamma : 1 + options.gamma",
    CLOSEST_TEST,
    "DDN shrinks and grows",
  ),
  mutant("fmn", "this.radius * (1 - gamma)", "this.radius * (1 - 2 * gamma)", CLOSEST_TEST, "FMN shrinks and grows"),
  mutant(
    "cw",
    "2 * (x - pixels[i]) - c * gradient[i]",
    "x - pixels[i] - c * gradient[i]",
    CLOSEST_TEST,
    "C&W succeeds",
  ),
  mutant(
    "ead",
    "size * (2 * (x - clean[i]) - c",
    "size * (x - clean[i] - c",
    CLOSEST_TEST,
    "EAD finds the elastic-net",
  ),
  mutant("jsma", "image[i] + theta, 0", "image[i] + theta / 2, 0", CLOSEST_TEST, "changes at most one value more"),
  mutant("fab", "v + eta * here[i]", "v + eta * here[i] / 2", "test/attacks/apgd.test.ts", "fab breaks an image"),
  mutant(
    "fab-t",
    "pixels[i] + eta * fromClean[i]",
    "pixels[i] + 2 * eta * fromClean[i]",
    "test/attacks/apgd.test.ts",
    "fab-t ",
  ),
  mutant("autoattack", "({ eot: 20 })", "({ eot: 10 })", "test/attacks/autoattack.test.ts", "takes twenty gradients"),
  mutant(
    "autoattack-dynamic",
    '"routed", "average", ...early',
    '"average", ...early',
    DYNAMIC_TEST,
    "breaks the samples that the grid breaks",
  ),
  mutant("hopskipjump", "step === 0 ? 0.1", "step === 0 ? 0.2", QUERY_STEPS_TEST, "HopSkipJump probes"),
  mutant("boundary", "(spherical * radius)", "(2 * spherical * radius)", QUERY_STEPS_TEST, "the boundary attack"),
  mutant("geoda", "v + sigma * noise[i]", "v + 2 * sigma * noise[i]", QUERY_STEPS_TEST, "GeoDA probes"),
  mutant(
    "nes",
    "(replies[2 * k].loss - replies[2 * k + 1].loss)",
    "(replies[2 * k].loss + replies[2 * k + 1].loss)",
    QUERIES_TEST,
    "the L2 step of nes goes",
  ),
  mutant("spsa", "(rate * m)", "(2 * rate * m)", QUERIES_TEST, "steps of spsa begin"),
  mutant("simba", "+= sign * stepSize;", "+= 2 * sign * stepSize;", QUERIES_TEST, "simba takes steps"),
  mutant("cost-walk", "return a.cost > b.cost;", "return a.cost < b.cost;", QUERIES_TEST, "raises the cost where"),
  mutant(
    "one-pixel",
    "trials[i].loss > member.loss",
    "trials[i].loss < member.loss",
    QUERY_STEPS_TEST,
    "one pixel evolves",
  ),
  mutant("pixle", "=> leastSide + Math.floor", "=> 2 * leastSide + Math.floor", QUERY_STEPS_TEST, "Pixle copies"),
  mutant(
    "uap",
    "v[i] += image[i] - pixels[i];",
    "v[i] += 2 * (image[i] - pixels[i]);",
    UNIVERSAL_TEST,
    "takes DeepFool's",
  ),
  mutant(
    "universal-pgd",
    "NORMS[norm].step(v, gradient, stepSize);",
    "NORMS[norm].step(v, gradient, stepSize / 2);",
    UNIVERSAL_TEST,
    "takes one step per batch",
  ),
  mutant(
    "class-universal",
    "toFit(tasks, options.fit).filter((task) => classOf(task) === group)",
    "toFit(tasks, options.fit)",
    UNIVERSAL_TEST,
    "moves each class",
  ),
  mutant(
    "patch",
    "options.stepSize * Math.sign(gradient[i])",
    "2 * options.stepSize * Math.sign(gradient[i])",
    UNIVERSAL_TEST,
    "patch takes steps",
  ),
  mutant(
    "shrinking",
    "Math.floor(step / every)",
    "Math.floor(step / every / 2)",
    UNIVERSAL_TEST,
    "ends in the last ball",
  ),
];
