import { describe, expect, test } from "vitest";
import { estimateLink, parseLink, wayMs } from "../../src/deploy/link.js";

describe("a link", () => {
  test.each([
    ["10Mbit/s,40ms", { bitsPerSecond: 1e7, rttMs: 40 }],
    ["1.5 kbit/s, 2 s", { bitsPerSecond: 1500, rttMs: 2000 }],
    ["1Gbit/s,0ms", { bitsPerSecond: 1e9, rttMs: 0 }],
    ["300bit/s,0.5ms", { bitsPerSecond: 300, rttMs: 0.5 }],
  ])("is read from %s", (text, link) => {
    expect(parseLink(text, "--link")).toEqual(link);
  });

  test.each(["", "10Mbit/s", "10MB/s,40ms", "0Mbit/s,40ms", "10Mbit/s,40", "10Mbit/s,40ms,3", "1..2Mbit/s,4ms"])(
    "is not read from %j",
    (text) => {
      expect(() => parseLink(text, "--link")).toThrow(/^--link: got ".*", expected RATE,RTT\. .*\[cli\/value\]$/);
    },
  );

  test("takes its round trip and the bytes at its rate", () => {
    expect(wayMs({ bitsPerSecond: 8e6, rttMs: 40 }, 5000)).toBe(45);
  });

  test("is used by what is sent only", () => {
    const answers = [
      { place: "device", deviceMs: 3, serverMs: 0, bytes: 0 },
      { place: "server", deviceMs: 4, serverMs: 7, bytes: 2000 },
    ] as const;
    expect(estimateLink(answers, { link: { bitsPerSecond: 8e6, rttMs: 40 }, imageBytes: 1000 })).toEqual({
      deviceOnly: [3, 4],
      split: [3, 4 + 42 + 7],
      sendImage: [41 + 3, 41 + 11],
    });
  });
});
