/** @file Another study beside this one, cell by cell, for example the full networks beside the thin
 *  ones. Each study keeps its own verdicts. Source: docs/study.md, "Tiers". */
import { counted } from "../../core/units.js";
import type { Claim, StudyRecord } from "../../schema/study/record.js";
import { type Html, html, NOTHING } from "../shared/html.js";
import type { Section } from "../shared/shell.js";
import { type Column, table } from "../shared/table.js";
import { empty, foldedTable, moreFigures, panels } from "./figure.js";
import { mapFigures } from "./transfer.js";
import * as words from "./words.js";

type Cell = StudyRecord["cells"][number];

/** The effects of one claim in a cell of this study and in its partner. */
interface Pair {
  readonly own: Cell;
  readonly partner: Cell;
}

/** The architecture without its width and depth, and the data set: `resnet, cifar10`. */
function familyOf(record: StudyRecord, cell: string): string | undefined {
  const block = record.blocks.find((each) => each.cell === cell);
  return block && `${block.architecture.replace(/-w[\d.]+$/, "").replace(/\d+$/, "")}, ${block.data}`;
}

/** The cell of the other study with the same name, or the only one of the same family. */
function partnerOf(record: StudyRecord, beside: StudyRecord, { claim, cell }: Cell): Cell | undefined {
  const all = beside.cells.filter((each) => each.claim === claim);
  const same = all.find((each) => each.cell === cell);
  if (same) return same;
  const family = familyOf(record, cell);
  const [found, ...more] = all.filter((each) => family !== undefined && familyOf(beside, each.cell) === family);
  return more.length === 0 ? found : undefined;
}

const pairsOf = (record: StudyRecord, beside: StudyRecord): Pair[] =>
  record.cells.flatMap((own) => {
    const partner = partnerOf(record, beside, own);
    return partner ? { own, partner } : [];
  });

/** Effects of size 0 agree with nothing. */
const agrees = ({ own, partner }: Pair): boolean => own.effect.value * partner.effect.value > 0;

interface ClaimRow {
  readonly claim: Claim;
  readonly pairs: readonly Pair[];
}

function claimColumns(record: StudyRecord, beside: StudyRecord): Column<ClaimRow>[] {
  const verdictIn = (of: StudyRecord, claim: Claim) => {
    const verdict = words.verdictOf(of, claim);
    if (!verdict) return words.DASH;
    return html`${words.verdictMark(verdict.verdict)}<br><small>${words.effect(verdict.effect, words.scaleOf(verdict))}</small>`;
  };
  return [
    { head: "claim", cell: (r) => r.claim },
    { head: record.name, align: "left", cell: (r) => verdictIn(record, r.claim) },
    { head: beside.name, align: "left", cell: (r) => verdictIn(beside, r.claim) },
    { head: "cells with the same sign", cell: (r) => `${r.pairs.filter(agrees).length} of ${r.pairs.length}` },
  ];
}

function pairColumns(record: StudyRecord, beside: StudyRecord): Column<Pair>[] {
  const effect = ({ claim, effect: size }: Cell) =>
    words.effect(size, words.scaleOf(words.verdictOf(record, claim) ?? {}));
  return [
    { head: "claim and cell", cell: ({ own }) => html`${own.claim}, ${words.unbroken(own.cell)}` },
    { head: "beside", align: "left", cell: ({ partner }) => words.unbroken(partner.cell) },
    { head: record.name, cell: ({ own }) => effect(own) },
    { head: beside.name, cell: ({ partner }) => effect(partner) },
    { head: "same sign", cell: (pair) => (agrees(pair) ? "yes" : "no") },
  ];
}

/** The verdicts of both studies, their effects cell by cell, and the transfer of the other one. */
export function besideSection(record: StudyRecord, beside: StudyRecord, document: Document): Section {
  const pairs = pairsOf(record, beside);
  const rows = words
    .claimsOf(record)
    .map((claim) => ({ claim, pairs: pairs.filter(({ own }) => own.claim === claim) }));
  const left = record.cells.length - pairs.length;
  const alone: Html =
    left === 0
      ? NOTHING
      : html`<p>${counted(left, "effect of a cell has", "effects of cells have")} no partner in ${beside.name}.</p>`;
  const maps = mapFigures(beside, document);
  const body = html`<p>Cells are matched by name, or by architecture without its width and depth and by data set. Each study has verdicts of its own. The sign says whether both see the same direction.</p>${table("Verdicts of both studies.", claimColumns(record, beside), rows)}${alone}${foldedTable("Effects of both studies in each cell, with 95 % intervals.", pairColumns(record, beside), pairs)}${maps.length === 0 ? NOTHING : moreFigures(`Transfer in ${beside.name}`, panels(maps, "pair"))}`;
  return {
    id: "beside",
    title: `Beside the study ${beside.name}`,
    body: rows.length === 0 ? empty("The plan asks about no claim.") : body,
  };
}
