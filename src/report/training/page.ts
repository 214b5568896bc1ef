/** @file The report of a training run: curves of loss, accuracy and learning rate, and the figures
 *  of every exit.
 *  It is a pure function of its record and is drawn again after every epoch. Read by: cli. */
import { counted } from "../../core/units.js";
import { wilson } from "../../measures/wilson.js";
import type { Answers, EpochReport, TrainingRecord } from "../../schema/training.js";
import { showUnits } from "../../schema/units.js";
import { key } from "../plots/key.js";
import { type Curve, curvesPlot, lineStyle } from "../plots/training.js";
import { type DrawOptions, drawingIn } from "../shared/drawing.js";
import * as write from "../shared/format.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import { card, reportPage } from "../shared/page.js";
import { remarks } from "../shared/remarks.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { gatesSection } from "./gates.js";
import { trainingSettings } from "./settings.js";
import { trainingShort } from "./short.js";

/** The page as text. */
export function renderTraining(record: TrainingRecord, options: DrawOptions = {}): string {
  const drawnIn = drawingIn(options);
  const sections = [
    exitsSection(record),
    curvesSection(record, drawnIn),
    gatesSection(record, drawnIn),
    perExitSection(record, drawnIn),
    settingsSection(record),
  ].filter((section) => section !== undefined);
  const { epochs, planned } = record;
  const busy = record.steadiness?.warning;
  return reportPage({
    title: `${record.model}: training`,
    kind: `Training, recipe ${record.recipe}`,
    heading: html`${record.model} <small>on ${record.data}</small>`,
    about: `${epochs.length} of ${counted(planned, "epoch")} done, ${showUnits(record)}.`,
    remarks: remarks(record.notes, busy === undefined ? [] : [`Exits were placed by time. ${busy}`]),
    cards: cards(record),
    short: trainingShort(record),
    sections,
  });
}

const last = ({ epochs }: TrainingRecord): EpochReport => epochs[epochs.length - 1];

function cards(record: TrainingRecord): Html[] {
  const { epochs, exits, test } = record;
  const [{ loss, learningRate, validationAccuracy }, final] = [last(record), exits.length - 1];
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  return [
    card(
      "validation accuracy, final exit",
      write.percent(validationAccuracy[final]),
      `${write.samples(record.validationCount)} that are not used for training`,
    ),
    test
      ? card(
          "test accuracy, final exit",
          write.percent(test[final].right / test[final].count),
          write.samples(test[final].count),
        )
      : NOTHING,
    card("training loss", loss.toFixed(3), `learning rate ${showNumber(learningRate)}`),
    card("time", write.duration(seconds), `${counted(Math.round(last(record).imagesPerSecond), "image")} per second`),
  ];
}

const showNumber = (value: number): string => String(Number(value.toPrecision(3)));

/** The figures of every exit after the last epoch. */
function exitsSection(record: TrainingRecord): Section {
  const { exits, test } = record;
  const epoch = last(record);
  const rate = ({ right, count }: Answers): string => write.rate(wilson(right, count));
  const columns: Column<number>[] = [
    { head: "exit", cell: (k) => exits[k] },
    { head: "loss, training", cell: (k) => epoch.exitLosses[k].toFixed(3) },
    { head: "loss, validation", cell: (k) => epoch.validationLosses[k].toFixed(3) },
    { head: "accuracy, training", cell: (k) => write.percent(epoch.trainAccuracy[k]) },
    {
      head: "accuracy, validation",
      cell: (k) => write.rate(write.rateOf(epoch.validationAccuracy[k], record.validationCount)),
    },
    ...(test ? [{ head: "accuracy, test", cell: (k: number) => rate(test[k]) }] : []),
  ];
  const caption = `After epoch ${record.epochs.length}. Training figures are means over the epoch, on augmented images, while the weights still changed. In brackets: 95 % Wilson intervals.`;
  return { id: "exits", title: "Every exit", body: table(caption, columns, [...exits.keys()]) };
}

/** Loss, accuracy and learning rate after each epoch. */
function curvesSection({ exits, epochs }: TrainingRecord, document: Document): Section {
  const final = exits.length - 1;
  const accuracy = exits.map((name, k): Curve => ({ name, values: epochs.map((e) => e.validationAccuracy[k]) }));
  const loss: Curve[] = [
    { name: "final exit, training", values: epochs.map((e) => e.exitLosses[final]) },
    { name: "final exit, validation", values: epochs.map((e) => e.validationLosses[final]) },
    ...(final > 0 ? [{ name: "the minimised loss", values: epochs.map((e) => e.loss) }] : []),
  ];
  const rate: Curve[] = [{ name: "learning rate", values: epochs.map((e) => e.learningRate) }];
  return {
    id: "curves",
    title: "Curves",
    body: html`<div class="pair">
${figure("Validation accuracy of each exit.", accuracy, "accuracy", document, write.wholePercent, [0, 1])}
${figure("Loss.", loss, "loss", document)}
${figure("Learning rate at the end of each epoch.", rate, "learning rate", document, showNumber)}
</div>`,
  };
}

function figure(
  label: string,
  curves: readonly Curve[],
  y: string,
  document: Document,
  tickFormat?: (value: number) => string,
  domain?: readonly [number, number],
): Html {
  const options = { label, y, ...(tickFormat ? { tickFormat } : {}), ...(domain ? { domain } : {}) };
  return html`<figure>${curvesPlot(curves, options, document)}<figcaption>${label}</figcaption>${curves.length > 1 ? keyOf(curves) : NOTHING}</figure>`;
}

const keyOf = (curves: readonly Curve[]): Html => key(curves.map(({ name }, i) => ({ name, ...lineStyle(i) })));

/** Training against validation, one panel per exit. The gap shows overfitting. */
function perExitSection({ exits, epochs }: TrainingRecord, document: Document): Section {
  const curvesOf = (k: number): Curve[] => [
    { name: "validation", values: epochs.map((e) => e.validationAccuracy[k]) },
    { name: "training", values: epochs.map((e) => e.trainAccuracy[k]) },
  ];
  const panel = (name: string, k: number): Html => {
    const label = `Accuracy of ${name} on training and validation images after each epoch.`;
    const plot = curvesPlot(
      curvesOf(k),
      { label, y: "accuracy", tickFormat: write.wholePercent, domain: [0, 1], small: true },
      document,
    );
    return html`<figure><figcaption><b>${name}</b></figcaption>${plot}</figure>`;
  };
  return {
    id: "per-exit",
    title: "Training against validation",
    body: html`<p>Accuracy of each exit after each epoch. Where training accuracy is far above validation accuracy, the exit overfits its training images.</p>${keyOf(curvesOf(0))}<div class="multiples">${exits.map(panel)}</div>`,
  };
}

const settingsSection = ({ settings }: TrainingRecord): Section => ({
  id: "settings",
  title: "Settings",
  body: trainingSettings(settings),
});
