/** @file Tells which requests come from the same client: the requests from one address. All IPv6
 *  addresses of one /64 network count as one client. */
import { isIPv6 } from "node:net";

/** @param address as Node reports it; undefined when the connection is closed */
export function clientOf(address: string | undefined): string {
  if (address === undefined) return "gone";
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  return isIPv6(address) ? `${network(address)}::/64` : address;
}

/** The first four of the eight groups of an IPv6 address. */
function network(address: string): string {
  const [bare = ""] = address.split("%");
  const [front = "", back] = bare.split("::");
  const before = front === "" ? [] : front.split(":");
  const after = back === undefined || back === "" ? [] : back.split(":");
  // An address that ends in IPv4 form has one part for its last two groups.
  const groups = before.length + after.length + (bare.includes(".") ? 1 : 0);
  const zeros = new Array<string>(Math.max(0, 8 - groups)).fill("0");
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
