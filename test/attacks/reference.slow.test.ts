/** @file Our attacks against the original implementations, on the first test records of CIFAR-10. The slow tests run the
 *  quick cases. `DYNN_ATTACK_REFERENCE=FAMILY npx vitest run test/attacks/reference.slow.test.ts` runs all cases of a
 *  family, and writes what they gave to bench/records/attack-reference/FAMILY.json. With `-t NAME` it runs some of them;
 *  the file keeps what it has of the others. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { type Compared, compare, families, type ReferenceCase } from "../support/attack-reference.js";

/** Writes what the cases gave in the order of the cases. A case that did not run keeps its value. */
function record(family: string, cases: readonly ReferenceCase[], found: readonly Compared[]): void {
  const folder = new URL("../../bench/records/attack-reference/", import.meta.url);
  const file = new URL(`${family}.json`, folder);
  mkdirSync(folder, { recursive: true });
  const before: Compared[] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
  const newest = ({ reference }: ReferenceCase) =>
    [...found, ...before].find((value) => value.reference === reference.join(" "));
  const values = cases.map(newest).filter((value) => value !== undefined);
  writeFileSync(file, `${JSON.stringify(values, undefined, 2)}\n`);
}

const wanted = process.env.DYNN_ATTACK_REFERENCE;

for (const [family, cases] of Object.entries(families())) {
  const chosen = cases.filter(({ quick }) => (wanted === undefined ? quick : wanted === family));
  if (chosen.length === 0) continue;
  describe(`the attacks of ${family}`, () => {
    const found: Compared[] = [];
    afterAll(() => {
      if (wanted === undefined) return;
      record(family, cases, found);
    });

    test.each(chosen.map((one) => [one.reference.join(" "), one] as const))(
      "agree with the original: %s",
      async (_, one) => {
        const compared = await compare(one);
        found.push(compared);
        expect(compared.judged).toBeGreaterThanOrEqual(compared.allowed[0]);
        expect(compared.judged).toBeLessThanOrEqual(compared.allowed[1]);
      },
      1_200_000,
    );
  });
}
