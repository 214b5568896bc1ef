/** @file The accuracy-cost curve: operating points that no other point beats in both. */
import type { OperatingPoint } from "./goal.js";

/** The points that no other point dominates, by rising cost. A point dominates another when it is
 * cheaper and at least as accurate, or as cheap and more accurate. */
export function paretoFront<P extends Pick<OperatingPoint, "accuracy" | "cost">>(points: readonly P[]): P[] {
  const front: P[] = [];
  for (const point of [...points].sort((a, b) => a.cost - b.cost || b.accuracy - a.accuracy))
    if (point.accuracy > (front.at(-1)?.accuracy ?? Number.NEGATIVE_INFINITY)) front.push(point);
  return front;
}
