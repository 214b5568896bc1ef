/** @file Our attacks against the original implementations, on the first test records of CIFAR-10. The slow tests run the
 *  quick cases. `DYNN_ATTACK_REFERENCE=FAMILY npx vitest run test/attacks/reference.slow.test.ts` runs all cases of a
 *  family, and writes what they gave to bench/records/attack-reference/FAMILY.json. */
import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { type Compared, compare, families } from "../support/attack-reference.js";

const wanted = process.env.DYNN_ATTACK_REFERENCE;

for (const [family, cases] of Object.entries(families())) {
  const chosen = cases.filter(({ quick }) => (wanted === undefined ? quick : wanted === family));
  if (chosen.length === 0) continue;
  describe(`the attacks of ${family}`, () => {
    const found: Compared[] = [];
    afterAll(() => {
      if (wanted === undefined) return;
      const folder = new URL("../../bench/records/attack-reference/", import.meta.url);
      mkdirSync(folder, { recursive: true });
      writeFileSync(new URL(`${family}.json`, folder), `${JSON.stringify(found, undefined, 2)}\n`);
    });

    test.each(chosen.map((one) => [one.reference.join(" "), one] as const))(
      "agree with the original: %s",
      async (_, one) => {
        const compared = await compare(one);
        found.push(compared);
        expect(compared.ours).toBeGreaterThanOrEqual(compared.allowed[0]);
        expect(compared.ours).toBeLessThanOrEqual(compared.allowed[1]);
      },
      1_200_000,
    );
  });
}
