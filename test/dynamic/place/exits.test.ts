import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attachExits } from "../../../src/dynamic/model/exits.js";
import { prependNormalization } from "../../../src/dynamic/model/normalization.js";
import { cutsFor, parseExits, placeExits } from "../../../src/dynamic/place/exits.js";
import { nearestPlaces, placesOf } from "../../../src/dynamic/place/places.js";
import { ARCHITECTURES, REFERENCE_EXITS } from "../../../src/nn/architectures.js";
import { resnet } from "../../../src/nn/resnet.js";
import { failure } from "../../support/failure.js";

const USUAL = [0.15, 0.3, 0.45, 0.6, 0.75, 0.9];
const CIFAR = { classes: 10, imageSize: 32 };
const { graph } = resnet(20)({ ...CIFAR, width: 0.5 });
const places = placesOf(graph);

describe("places", () => {
  test("of a ResNet are the first activation and the block outputs, the last one as the classifier sees it", () => {
    const blocks = [1, 2, 3].flatMap((stage) => [0, 1, 2].map((i) => `stage${stage}.block${i}.out`));
    expect(places.map((p) => p.cut)).toEqual(["relu", ...blocks.slice(0, -1), "linear.pooled"]);
  });

  test("rise in cost, from above nothing to at most all", () => {
    const fractions = places.map((p) => p.fraction);
    expect(fractions).toEqual([...new Set(fractions)].sort((a, b) => a - b));
    expect(fractions[0]).toBeGreaterThan(0);
    expect(fractions.at(-1)).toBeLessThan(1);
  });

  test("are none before the first work, such as the normalised image", () => {
    const normalized = prependNormalization(graph, { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] });
    expect(placesOf(normalized)).toEqual(places);
  });

  test("do not count the heads that a network has", () => {
    expect(placesOf(attachExits(graph, ["stage1.block1.out"]))).toEqual(places);
  });
});

describe("every place", () => {
  test("gets an exit, in a residual network and in VGG-16", () => {
    expect(parseExits("every")).toEqual({ kind: "every" });
    expect(cutsFor(graph, { kind: "every" })).toEqual(places.map((p) => p.cut));
    const vgg = ARCHITECTURES.vgg16.make({ ...CIFAR, width: 0.25 }).graph;
    expect(cutsFor(vgg, { kind: "every" })).toEqual(placesOf(vgg).map((p) => p.cut));
    expect(placesOf(vgg).length).toBeGreaterThan(10);
  });
});

describe("exits at shares of the cost", () => {
  // Width does not move costs by enough to move a place; VGG-16, whose first layer weighs more when narrow, is tested at full width
  // among the slow tests of nn.
  test("stand in ResNet-56 where Kaya et al. put them", () => {
    expect(placeExits(resnet(56)({ ...CIFAR }).graph, USUAL)).toEqual(REFERENCE_EXITS.resnet56);
  });

  test("of MobileNet have the reference's places among the possible ones, and do not all fall on them", () => {
    const mobilenet = ARCHITECTURES.mobilenet.make({ ...CIFAR, width: 0.25 }).graph;
    const possible = placesOf(mobilenet).map((p) => p.cut);
    for (const cut of REFERENCE_EXITS.mobilenet) expect(possible).toContain(cut);
    expect(placeExits(mobilenet, USUAL)).not.toEqual(REFERENCE_EXITS.mobilenet);
    expect(attachExits(mobilenet, REFERENCE_EXITS.mobilenet).outputs).toHaveLength(6);
  });

  test("a single exit takes the nearest place", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), (wanted) => {
        const [cut] = placeExits(graph, [wanted]);
        const distance = (at: string | undefined) =>
          Math.abs((places.find((p) => p.cut === at)?.fraction ?? Number.NaN) - wanted);
        expect(distance(cut)).toBe(Math.min(...places.map((p) => distance(p.cut))));
      }),
    );
  });

  test("are as many as asked for, distinct and in order, however close the shares", () => {
    const order = places.map((p) => p.cut);
    const shares = fc.array(fc.double({ min: 0.001, max: 0.999, noNaN: true }), { maxLength: places.length });
    fc.assert(
      fc.property(shares, (fractions) => {
        const at = placeExits(
          graph,
          [...fractions].sort((a, b) => a - b),
        ).map((cut) => order.indexOf(cut));
        expect(at).toHaveLength(fractions.length);
        expect(at).toEqual([...new Set(at)].sort((a, b) => a - b));
      }),
      { numRuns: 25 },
    );
  });

  test("more exits than places are refused", () => {
    const eleven = Array.from({ length: 11 }, (_, i) => (i + 1) / 12);
    expect(() => placeExits(graph, eleven)).toThrow(
      failure("exits/value", "resnet20: 11 exits asked for, and there are 10 places for one. Ask for fewer."),
    );
  });
});

describe("the nearest places", () => {
  const some = [0.1, 0.3, 0.5, 0.9].map((fraction, i) => ({ cut: `c${i}`, shape: ["n", 4], fraction }));
  const cutsAt = (...fractions: readonly number[]) => nearestPlaces(some, fractions)?.map(({ cut }) => cut);

  test("leave enough places for the exits that follow", () => {
    expect(cutsAt(0.8, 0.85)).toEqual(["c2", "c3"]);
    expect(cutsAt(0.91, 0.92, 0.93, 0.94)).toEqual(["c0", "c1", "c2", "c3"]);
  });

  test("are taken once: the next share gets the nearest behind", () => {
    expect(cutsAt(0.3, 0.31)).toEqual(["c1", "c2"]);
    expect(cutsAt(0.05, 0.06, 0.07)).toEqual(["c0", "c1", "c2"]);
  });

  test("may lie before a share or behind it", () => {
    expect([cutsAt(0.38), cutsAt(0.42), cutsAt(0.99), cutsAt(0.01)]).toEqual([["c1"], ["c2"], ["c3"], ["c0"]]);
    expect(cutsAt(0.1, 0.2, 0.3, 0.4, 0.5)).toBeUndefined();
  });
});

describe("an exit list as people write it", () => {
  test.each([
    ["none", { kind: "none" }],
    ["15,30,45", { kind: "fractions", fractions: [0.15, 0.3, 0.45] }],
    [" 12.5% , 50 ", { kind: "fractions", fractions: [0.125, 0.5] }],
    ["relu,stage1.block0.out", { kind: "values", values: ["relu", "stage1.block0.out"] }],
    ["15,relu", { kind: "values", values: ["15", "relu"] }],
  ] as const)("%s", (text, spec) => {
    expect(parseExits(text)).toEqual(spec);
  });

  test.each([
    ["", 'exits: "" has an empty entry.'],
    ["15,,30", 'exits: "15,,30" has an empty entry.'],
    ["30,15", 'exits: "30,15" does not rise between 0 and 100.'],
    ["15,15", 'exits: "15,15" does not rise between 0 and 100.'],
    ["0,50", 'exits: "0,50" does not rise between 0 and 100.'],
    ["50,100", 'exits: "50,100" does not rise between 0 and 100.'],
  ] as const)("%j is refused", (text, wrong) => {
    const advice = "Write auto, none, every, percentages of the cost (15,30,45,60,75,90), or names of values.";
    expect(() => parseExits(text)).toThrow(failure("cli/value", `${wrong} ${advice}`));
  });

  test("gives the cuts of a graph", () => {
    expect(cutsFor(graph, parseExits("none"))).toEqual([]);
    expect(cutsFor(graph, parseExits("relu,stage1.block0.out"))).toEqual(["relu", "stage1.block0.out"]);
    expect(cutsFor(graph, parseExits("15,30,45,60,75,90"))).toEqual(placeExits(graph, USUAL));
  });
});
