/** @file "In short" of a study of transfer: how often attacks work on a network that they did not
 *  see, and the pair of networks for which they work best. */
import { counted } from "../../core/units.js";
import type { TransferAttack, TransferRecord } from "../../schema/transfer-record.js";
import * as write from "../shared/format.js";

/** Sentences on at most this number of attacks. */
const MOST = 3;

/** Two to four sentences. */
export function transferShort(record: TransferRecord): string[] {
  const { networks, eligible, data, attacks } = record;
  const start = `${counted(networks.length, "network is", "networks are")} all right on ${eligible} of ${write.samples(data.samples)}; only these are attacked.`;
  if (eligible === 0) return [start];
  const more = attacks.length - MOST;
  return [
    start,
    ...attacks.slice(0, MOST).map((attack) => attackSentence(attack, record)),
    ...(more > 0 ? [`The tables below hold ${more} more.`] : []),
  ];
}

/** Mean success on the diagonal, or off it. */
export function meanOf({ success }: TransferAttack, diagonal: boolean): number {
  const rates = success.flatMap((row, i) => row.filter((_, j) => (i === j) === diagonal).map(({ value }) => value));
  return rates.reduce((sum, v) => sum + v, 0) / Math.max(1, rates.length);
}

function attackSentence(attack: TransferAttack, { networks }: TransferRecord): string {
  const pairs = attack.success.flatMap((row, i) => row.flatMap((rate, j) => (i === j ? [] : [{ i, j, rate }])));
  const [best] = pairs.sort((a, b) => b.rate.value - a.rate.value);
  const own = `${attack.name} wins ${write.percent(meanOf(attack, true))} of the samples on the network that it sees`;
  if (best === undefined) return `${own}.`;
  return `${own} and ${write.percent(meanOf(attack, false))} on another network, most from ${networks[best.i].name} to ${networks[best.j].name}: ${write.rate(best.rate)}.`;
}
