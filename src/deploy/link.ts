/** @file Estimates how long answers would take over a stated link between device and server.
 *  Computing times are as measured here. Only the transfer is calculated: one round trip, and the
 *  bytes at the link's rate. The reply, some 100 bytes, is part of the round trip. */
import { DynnError } from "../core/errors.js";
import type { PlacedAnswer } from "./device/device.js";

/** The speed of a link. */
export interface LinkSpeed {
  /** Bits per second, in each direction. */
  readonly bitsPerSecond: number;
  /** Round-trip time in milliseconds. */
  readonly rttMs: number;
}

const RATE = /^([\d.]+)\s*([kMG]?)bit\/s$/;
const ROUND_TRIP = /^([\d.]+)\s*(ms|s)$/;
const FACTORS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9 };

/** Read "10Mbit/s,40ms": rate and round-trip time.
 * @throws DynnError 'cli/value' naming `where` */
export function parseLink(text: string, where: string): LinkSpeed {
  const [rate = "", roundTrip = "", ...more] = text.split(",").map((part) => part.trim());
  const [, amount, prefix = ""] = RATE.exec(rate) ?? [];
  const [, time, unit] = ROUND_TRIP.exec(roundTrip) ?? [];
  const bitsPerSecond = Number(amount) * FACTORS[prefix];
  const rttMs = Number(time) * (unit === "s" ? 1000 : 1);
  if (more.length === 0 && bitsPerSecond > 0 && Number.isFinite(bitsPerSecond) && rttMs >= 0)
    return { bitsPerSecond, rttMs };
  throw new DynnError("cli/value", `${where}: got "${text}", expected RATE,RTT. Write e.g. ${where} 10Mbit/s,40ms.`, {
    where,
    got: text,
  });
}

/** Milliseconds to send `bytes` and get the answer. */
export const wayMs = ({ bitsPerSecond, rttMs }: LinkSpeed, bytes: number): number =>
  rttMs + (8000 * bytes) / bitsPerSecond;

/** Milliseconds per image of three ways to use the network. */
export interface LinkEstimate {
  /** The device alone. It answers with its most confident exit when no exit is confident enough. */
  readonly deviceOnly: readonly number[];
  /** The split: only samples that the device is not confident of go over the link. */
  readonly split: readonly number[];
  /** Every image goes over the link. The server computes everything, at the speed measured here. */
  readonly sendImage: readonly number[];
}

/** The fields of an answer that a link estimate needs. */
export type TimedAnswer = Pick<PlacedAnswer, "place" | "deviceMs" | "serverMs" | "bytes">;

/** What goes over which link. */
export interface LinkOptions {
  readonly link: LinkSpeed;
  /** Bytes of one image as it would be sent. */
  readonly imageBytes: number;
}

/** Estimate the milliseconds of each answer over a link: on the device alone, split, and with the
 * image sent.
 * @example
 * estimateLink(answers, { link: { bitsPerSecond: 8e6, rttMs: 40 }, imageBytes: 1000 }).split; */
export function estimateLink(answers: readonly TimedAnswer[], { link, imageBytes }: LinkOptions): LinkEstimate {
  return {
    deviceOnly: answers.map(({ deviceMs }) => deviceMs),
    split: answers.map(({ place, deviceMs, serverMs, bytes }) =>
      place === "server" ? deviceMs + wayMs(link, bytes) + serverMs : deviceMs,
    ),
    sendImage: answers.map(({ deviceMs, serverMs }) => wayMs(link, imageBytes) + deviceMs + serverMs),
  };
}
