import { describe, expect, it } from "vitest";
import { cleanAccuracyOf, findings } from "../../src/report/audit/words.js";
import * as write from "../../src/report/shared/format.js";
import { html, raw } from "../../src/report/shared/html.js";
import type { AttackRecord, AuditRecord } from "../../src/schema/audit-record.js";
import { record } from "./fixture.js";

/** Markup as a reader sees it: no tags, plain spaces. */
const read = (markup: { readonly text: string }): string =>
  markup.text
    .replace(/<[^>]*>/g, "")
    .replace(/\u00a0/g, " ")
    .trim();

const withAttack = (changes: Partial<AttackRecord>): AuditRecord => ({
  ...record,
  attacks: [{ ...record.attacks[1], ...changes }],
});
const onlyFinding = (changes: Partial<AttackRecord>): string => read(findings(withAttack(changes))[0].text);

describe("numbers", () => {
  it("have one decimal, an en dash between the ends of an interval, and never break inside", () => {
    expect(write.rate({ value: 0.4140625, low: 0.3554, high: 0.4752 })).toBe("41.4\u00a0% (35.5–47.5)");
    expect(write.percent(1)).toBe("100.0\u00a0%");
    expect(write.points(0.0117)).toBe("1.2\u00a0points");
  });

  it("write a radius in its norm's customary unit", () => {
    expect(write.budget("linf", 8 / 255)).toBe("L∞\u00a08/255");
    expect(write.budget("l2", 0.25)).toBe("L2\u00a00.25");
    expect(write.budget("l2", null)).toBe("L2, no limit");
    expect(write.linf(0.0577)).toBe("14.7/255");
  });

  it("write times in seconds, then in minutes", () => {
    expect(write.duration(7.43)).toBe("7.4\u00a0s");
    expect(write.duration(125.2)).toBe("2\u00a0min 05\u00a0s");
    expect(write.duration(59.97)).toBe("1\u00a0min 00\u00a0s");
  });

  it("shorten long names by whole characters", () => {
    expect(write.shorten("final", 5)).toBe("final");
    expect(write.shorten("🐸🐸🐸🐸", 3)).toBe("🐸🐸…");
  });
});

describe("html", () => {
  it("escapes every part that is not markup already, in lists too", () => {
    const name = `<b a="1" b='2'>&`;
    expect(html`<i title="${name}">${[name, raw("<br>"), 3]}</i>`.text).toBe(
      `<i title="&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;">&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;<br>3</i>`,
    );
  });
});

describe("findings", () => {
  it("come most dangerous first: lost savings count like lost answers", () => {
    expect(findings(record).map(({ attack }) => attack.name)).toEqual([
      "slowdown",
      "early-published",
      "pgd-routed",
      "pgd-linf",
      "fgsm-linf",
    ]);
  });

  it("say what the attack may change, and what it does to the judged answer, the routed answer and the cost", () => {
    expect(onlyFinding({})).toBe(
      "pgd-linf (no pixel value changes by more than 1/255) leaves the final answer right on 24.6 % (19.7–30.2) of the samples, from 85.2 %. The routed answer is right on 42.6 % (36.7–48.7). Mean cost rises from 56.3 % to 64.9 %: 19.8 % of the saving is gone.",
    );
  });

  it("tell a cheaper and an equal cost from a dearer one", () => {
    const routed = record.attacks[1].routed;
    const { meanCostFraction } = record.clean.routed;
    expect(onlyFinding({ routed: { ...routed, meanCostFraction: 0.3 } })).toContain(
      "Mean cost falls from 56.3 % to 30.0 %: answers come earlier",
    );
    expect(onlyFinding({ routed: { ...routed, meanCostFraction } })).toContain("Mean cost stays at 56.3 %.");
  });

  it("say of an early attack how often the full network would not notice", () => {
    expect(read(findings(record)[1].text)).toContain(
      "On 70.7 % (64.9–75.9) an early exit fires with another label while the final exit keeps its label: a check of the full network does not detect this.",
    );
  });

  it("name an attack without a radius by its mean size, if it had any success", () => {
    expect(onlyFinding({ radius: null, norm: "l2", l2Mean: 1.807 })).toContain(
      "(no limit on the change; mean L2 1.807)",
    );
    expect(onlyFinding({ radius: null, norm: "l2", l2Mean: null })).toContain("(no limit on the change)");
    expect(onlyFinding({ radius: 0.25, norm: "l2" })).toContain("(the whole image changes by at most 0.25 in L2)");
  });

  it("compare with the clean accuracy of the same answer", () => {
    expect(cleanAccuracyOf(record, "routed")).toBe(215 / 256);
    expect(cleanAccuracyOf(record, "exit1")).toBe(194 / 256);
    expect(
      cleanAccuracyOf(
        {
          ...record,
          model: { ...record.model, exits: record.model.exits.map((exit, i) => ({ ...exit, name: `e${i}` })) },
        },
        "final",
      ),
    ).toBe(218 / 256);
  });
});
