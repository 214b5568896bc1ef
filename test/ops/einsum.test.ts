import { describe, expect, test } from "vitest";
import { string } from "../../src/graph/attributes.js";
import { nodeMacs } from "../../src/graph/cost.js";
import { opTable } from "../../src/ops/table.js";
import { constantNode, evaluate } from "../support/evaluate.js";
import { failure } from "../support/failure.js";
import { type GradcheckCase, gradcheck, random } from "../support/gradcheck.js";

const by = (equation: string) => ({ equation: string(equation) });
const of = (
  equation: string,
  shapes: readonly (readonly number[])[],
  more: Partial<GradcheckCase> = {},
): GradcheckCase => ({
  op: "Einsum",
  inputs: shapes.map((dims, i) => random(dims, i + 1)),
  attributes: by(equation),
  ...more,
});

describe("Einsum: value and gradient of every operand", () => {
  test.each<readonly [string, GradcheckCase]>([
    [
      "a matrix product",
      of("ij,jk->ik", [
        [2, 3],
        [3, 4],
      ]),
    ],
    [
      "a matrix product, opset 12, spaces",
      of(
        " i j , j k -> i k ",
        [
          [2, 3],
          [3, 4],
        ],
        { opset: 12 },
      ),
    ],
    [
      "a product of batches of matrices",
      of("bij,bjk->bik", [
        [2, 2, 3],
        [2, 3, 2],
      ]),
    ],
    [
      "attention scores",
      of("bhqd,bhkd->bhqk", [
        [2, 2, 3, 2],
        [2, 2, 4, 2],
      ]),
    ],
    [
      "attention of BoTNet, with a symbolic batch",
      of(
        "bhxyd,md->bhxym",
        [
          [5, 2, 2, 2, 3],
          [3, 3],
        ],
        { batch: 5 },
      ),
    ],
    [
      "an implicit result",
      of("ij,jk", [
        [2, 3],
        [3, 4],
      ]),
    ],
    ["an implicit result in alphabetical order", of("ba", [[2, 3]])],
    ["a transpose", of("ijk->kij", [[2, 3, 4]])],
    ["a sum", of("ij->", [[2, 3]])],
    ["a sum of rows", of("ij->i", [[2, 3]])],
    ["an outer product", of("i,j->ij", [[2], [3]])],
    ["a dot product", of("i,i->", [[3], [3]])],
    [
      "a product of elements",
      of("ij,ij->ij", [
        [2, 3],
        [2, 3],
      ]),
    ],
    [
      "three operands",
      of("ij,jk,kl->il", [
        [2, 3],
        [3, 2],
        [2, 4],
      ]),
    ],
    [
      "a label that one operand alone has",
      of("ij,jk->k", [
        [2, 3],
        [3, 4],
      ]),
    ],
    [
      "an ellipsis",
      of("...ij,...jk->...ik", [
        [2, 2, 2, 3],
        [2, 2, 3, 2],
      ]),
    ],
    [
      "an ellipsis that broadcasts",
      of("...ij,...jk->...ik", [
        [2, 2, 3],
        [1, 3, 2],
      ]),
    ],
    ["a label that broadcasts", of("ij,j->i", [[2, 1], [3]])],
    [
      "an ellipsis that stands for fewer axes in one operand",
      of(
        "...ij,...jk->...ik",
        [
          [2, 2, 2, 3],
          [1, 3, 2],
        ],
        { skipOrt: "its shape inference wants equal ranks" },
      ),
    ],
    ["an ellipsis of nothing", of("...i,i->...", [[3], [3]])],
    [
      "an ellipsis in an implicit result",
      of("...ij,jk", [
        [2, 2, 3],
        [3, 2],
      ]),
    ],
    [
      "capital letters",
      of("nCh,Cd->ndh", [
        [2, 3, 2],
        [3, 4],
      ]),
    ],
  ])("%s", async (_, c) => gradcheck(c));
});

test("cost: one multiplication for each combination of labels", () => {
  const graph = constantNode("Einsum", [random([2, 3]), random([3, 5], 2)], { attributes: by("ij,jk->ik") });
  expect([...nodeMacs(graph, opTable).values()]).toEqual([30]);
});

describe("Einsum is refused by name", () => {
  const x = random([2, 2]);
  test.each([
    ["ii->i", [x], 'the term "ii" repeats a label, which dynn does not support'],
    ["ij->ijk", [x], "its result has a label that no operand has"],
    ["ij,jk->ik", [x], "it has 2 operands, the node 1"],
    ["ijk->i", [x], "operand 0 has shape [2,2]"],
    ["i1->i", [x], "it is malformed"],
    ["ij->i->j", [x], "it is malformed"],
    ["ij,jk->ik", [x, random([3, 2])], 'label "j" has lengths 2 and 3'],
  ] as const)("%s", (equation, inputs, what) => {
    expect(() => evaluate("Einsum", inputs, { attributes: by(equation) })).toThrow(
      failure("shape/mismatch", `Einsum "y": equation "${equation}": ${what}. Export the model again.`),
    );
  });
});
