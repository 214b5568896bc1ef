import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { MAX_SIDE, pngDataUri, thin } from "../../src/report/shared/png.js";

const decoded = (uri: string) => decode(Buffer.from(uri.slice("data:image/png;base64,".length), "base64"));
const ramp = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7) % 256);

describe("pngDataUri", () => {
  it.each([1, 3] as const)("keeps every pixel of a small image with %i channels", (channels) => {
    const data = ramp(5 * 4 * channels);
    const image = decoded(pngDataUri({ width: 5, height: 4, channels, data }));
    expect([image.width, image.height, image.channels]).toEqual([5, 4, channels]);
    expect([...image.data]).toEqual([...data]);
  });

  it("thins a large image by whole steps, row and column alike", () => {
    const [width, height] = [MAX_SIDE * 3, 7];
    const thinned = thin({
      width,
      height,
      channels: 1,
      data: Uint8Array.from({ length: width * height }, (_, i) => Math.floor(i / width) * 30 + ((i % width) % 3)),
    });
    expect([thinned.width, thinned.height]).toEqual([MAX_SIDE, 3]);
    expect([...new Set(thinned.data)]).toEqual([0, 90, 180]);
  });
});
