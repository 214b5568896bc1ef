/** @file The worst case over attacks, and the spread over seeds: as tables of the report, and as
 *  words that the terminal shows too. */
import type { AttackRecord, AuditRecord } from "../../schema/audit-record.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { type Column, table } from "../shared/table.js";
import { isStatic } from "./words.js";

type WorstCase = NonNullable<AuditRecord["worstCase"]>[number];
type Answer = WorstCase["answers"][number];

/** What the numbers of the worst case mean. */
export const WORST_CASE_MEANS =
  "A sample resists when its answer is right on the clean image and on every image within the budget that any attack found.";

/** Which attacks each budget counts, and which of them attacked a part of the samples only. */
export function worstCaseLines({ worstCase = [], attacks, data }: AuditRecord): string[] {
  const some = attacks.filter(({ samples }) => samples < data.samples);
  return [
    ...worstCase.map(({ norm, radius, attacks: names }) => `${write.budget(norm, radius)}: ${names.join(", ")}.`),
    ...some.map(
      ({ name, samples }) =>
        `${name} attacked ${samples} of ${write.samples(data.samples)}; it did not test the others.`,
    ),
  ];
}

/** The answers that attacks judge, in the order of the record: routed, final, and named exits. */
export function judgedAnswers({ model, attacks }: AuditRecord, { answers }: WorstCase): readonly Answer[] {
  const final = model.exits[model.exits.length - 1].name;
  const judged = new Set(["routed", final, ...attacks.map(({ answer }) => answer)]);
  return answers.filter(({ answer }) => judged.has(answer));
}

/** "12 of 500: 2.4 % (1.4–4.1)". */
const standing = ({ standing: count, robustAccuracy }: Answer, { data }: AuditRecord): string =>
  `${count} of ${data.samples}: ${write.rate(robustAccuracy)}`;

/** One row per answer, one column per budget. Nothing where no attack has a radius. */
export function worstCaseTable(record: AuditRecord): Html {
  const { worstCase = [] } = record;
  if (worstCase.length === 0) return NOTHING;
  const columns = worstCase.map(
    (budget, k): Column<string> => ({
      head: write.budget(budget.norm, budget.radius),
      cell: (answer) => standing(answerOf(worstCase[k], answer), record),
      shade: (answer) => answerOf(worstCase[k], answer).robustAccuracy.value,
    }),
  );
  const rows = worstCase[0].answers.map(({ answer }) => answer);
  const caption = `The worst case over attacks: samples that resist all of them. ${WORST_CASE_MEANS}`;
  return html`${table(caption, [{ head: "answer", cell: (answer) => answer }, ...columns], rows)}${worstCaseLines(record).map((line) => html`<p class="soft">${line}</p>`)}`;
}

const answerOf = ({ answers }: WorstCase, name: string): Answer =>
  answers.find(({ answer }) => answer === name) as Answer;

type Seeds = NonNullable<AttackRecord["seeds"]>;
type Seeded = AttackRecord & { readonly seeds: Seeds };

/** The attacks that ran with several seeds. */
export const seeded = ({ attacks }: AuditRecord): Seeded[] =>
  attacks.filter((attack): attack is Seeded => attack.seeds !== undefined);

/** "seeds 0 to 4". */
export const seedRange = ({ seeds }: Seeds): string => `seeds ${seeds[0]} to ${seeds[seeds.length - 1]}`;

type Spread = Seeds["robustAccuracy"];

/** A standard deviation in points. */
export const deviation = ({ deviation: value }: Spread): string => (100 * value).toFixed(2);

/** "41.4 % ± 0.52". */
const withDeviation = (spread: Spread): string => `${write.percent(spread.mean)} ± ${deviation(spread)}`;

/** What the numbers over seeds mean. */
export const SEEDS_MEAN =
  "The interval is that of the mean over the seeds, by Student's t. It tells of the random draws of the attacks; the Wilson intervals tell of the draw of the samples.";

/** Mean, standard deviation and interval over seeds. Nothing for one seed. */
export function seedsTable(record: AuditRecord): Html {
  const rows = seeded(record);
  if (rows.length === 0) return NOTHING;
  const columns: Column<Seeded>[] = [
    { head: "attack", cell: (a) => html`${a.name} <small>${write.budget(a.norm, a.radius)}</small>` },
    { head: "judged by", align: "left", cell: (a) => a.answer },
    { head: "robust accuracy, mean ± sd", cell: ({ seeds }) => withDeviation(seeds.robustAccuracy) },
    { head: "95 % interval of the mean", cell: ({ seeds }) => write.interval({ ...seeds.robustAccuracy, value: 0 }) },
    { head: "success, mean ± sd", cell: ({ seeds }) => withDeviation(seeds.successRate) },
    ...(isStatic(record)
      ? []
      : [
          {
            head: "mean cost, mean ± sd",
            cell: ({ seeds }: Seeded) => withDeviation(seeds.meanCostFraction),
          },
        ]),
  ];
  return table(
    `The attacks over ${seedRange(rows[0].seeds)}: mean and standard deviation (sd). ${SEEDS_MEAN}`,
    columns,
    rows,
  );
}
