/** @file The curve of accuracy over mean cost, as SVG. A library for plots would be a third of all
 *  scripts of the page, and this plot has two fixed axes, a line and a dot. */
import type { CurvePoint, Survey } from "../shared/messages.js";
import { percent } from "./text.js";

/** Units of the drawing. The page scales it to the width that there is. */
const [LEFT, RIGHT, TOP, BOTTOM] = [46, 436, 26, 240];
const [WIDTH, HEIGHT] = [460, 280];
const COSTS = [0, 0.2, 0.4, 0.6, 0.8, 1];

const xOf = (cost: number): number => LEFT + (RIGHT - LEFT) * cost;

/** The place of an accuracy on an axis that begins at `low`. */
const yOf = (accuracy: number, low: number): number => BOTTOM - ((BOTTOM - TOP) * (accuracy - low)) / (1 - low);

/** Round accuracies from `low` to 1, at most seven. */
export function accuraciesFrom(low: number): number[] {
  const tenths = low < 0.4 ? 2 : 1;
  const first = Math.ceil((10 * low) / tenths - 1e-9);
  return Array.from({ length: 10 / tenths - first + 1 }, (_, k) => ((first + k) * tenths) / 10);
}

interface PlotProps {
  readonly points: readonly CurvePoint[];
  readonly survey: Survey | undefined;
}

/** The curve of one threshold for all exits, and where the page stands. */
export function Plot({ points, survey }: PlotProps) {
  const curve = [...points].sort((a, b) => a.cost - b.cost);
  const low = Math.min(0.5, ...curve.map(({ accuracy }) => accuracy));
  const at = ({ cost, accuracy }: Pick<CurvePoint, "cost" | "accuracy">): [number, number] => [
    xOf(cost),
    yOf(accuracy, low),
  ];
  const here = survey && at({ cost: survey.cost, accuracy: survey.right / survey.count });
  const full = survey && yOf(survey.fullRight / survey.count, low);
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={textOf(curve)}>
      <Axes low={low} />
      {full !== undefined && <line class="full" x1={LEFT} x2={RIGHT} y1={full} y2={full} />}
      <polyline points={curve.map((point) => at(point).map((v) => v.toFixed(1))).join(" ")} />
      {here && <circle cx={here[0]} cy={here[1]} r={7} />}
    </svg>
  );
}

function Axes({ low }: { readonly low: number }) {
  return (
    <>
      {accuraciesFrom(low).map((accuracy) => (
        <g key={accuracy} transform={`translate(0 ${yOf(accuracy, low)})`}>
          <line class="grid" x1={LEFT} x2={RIGHT} />
          <text x={LEFT - 6} dy="0.32em" text-anchor="end">
            {percent(accuracy)}
          </text>
        </g>
      ))}
      {COSTS.map((cost) => (
        <text key={cost} x={xOf(cost)} y={BOTTOM + 18} text-anchor="middle">
          {percent(cost)}
        </text>
      ))}
      <text x={4} y={12}>
        ↑ right
      </text>
      <text x={RIGHT} y={HEIGHT - 4} text-anchor="end">
        mean share of the full cost →
      </text>
    </>
  );
}

/** The curve for people who do not see it. */
function textOf(curve: readonly CurvePoint[]): string {
  const [first, last] = [curve[0], curve[curve.length - 1]];
  const say = ({ accuracy, cost }: CurvePoint): string => `${percent(accuracy)} right at ${percent(cost)} of the cost`;
  return `Accuracy over mean cost: from ${say(first)} to ${say(last)}.`;
}
