/** @file The EEC curve of one attack over the clean one: the share of samples answered by each
 *  cost, as an exact step function. */
import { areaY, gridX, gridY, lineY } from "@observablehq/plot";
import type { EecPoint } from "../../measures/eec.js";
import { wholePercent } from "../shared/format.js";
import { ATTACKED, ATTACKED_DASH, type Chart, CLEAN, chart } from "./svg.js";

/** @param clean the points of the curve without the attack
 * @param attacked those under the attack */
export function eecPlot(
  name: string,
  clean: readonly EecPoint[],
  attacked: readonly EecPoint[],
  document: Document,
): Chart {
  const step = { x: (d: EecPoint) => d.costFraction, y: (d: EecPoint) => d.gone, curve: "step-after" } as const;
  return chart(`Share of samples answered by each cost, clean against ${name}.`, document, 300, () => ({
    height: 200,
    marginLeft: 48,
    marginRight: 24,
    marginBottom: 38,
    marginTop: 12,
    x: { domain: [0, 1], ticks: 2, tickFormat: wholePercent, label: "cost", labelAnchor: "center", labelArrow: "none" },
    y: { domain: [0, 1], ticks: 2, tickFormat: wholePercent, label: null },
    marks: [
      gridX({ ticks: 4 }),
      gridY({ ticks: 4 }),
      areaY(clean, { ...step, fill: CLEAN, fillOpacity: 0.16 }),
      lineY(clean, { ...step, stroke: CLEAN, strokeWidth: 1.5 }),
      lineY(attacked, {
        ...step,
        stroke: ATTACKED,
        strokeWidth: 2.5,
        strokeDasharray: ATTACKED_DASH,
      }),
    ],
  }));
}
