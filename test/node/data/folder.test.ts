import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { openDataset } from "../../../src/node/data/open.js";
import { readPixels, temporaryFolder } from "../../data/support.js";

const root = temporaryFolder();

/** A PNG whose pixels are (red, 10 * x, 10 * y). */
async function draw(file: string, red: number, width = 4, height = 3): Promise<string> {
  const pixels = Array.from({ length: width * height }, (_, i) => [
    red,
    10 * (i % width),
    10 * Math.floor(i / width),
  ]).flat();
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  await sharp(Uint8Array.from(pixels), { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
  return path;
}
const bytesOf = (pixels: Float32Array) => [...pixels].map((value) => value * 255).map(Math.round);

describe("a folder of images", () => {
  test("classes by name, records in turns, pixels as planes", async () => {
    for (const [file, red] of [
      ["zebra/a.png", 1],
      ["ant/b.png", 2],
      ["ant/a.png", 3],
      ["ant/c.PNG", 4],
    ] as const)
      await draw(`plain/${file}`, red);
    mkdirSync(join(root, "plain/empty"));
    writeFileSync(join(root, "plain/ant/notes.txt"), "no image");
    writeFileSync(join(root, "plain/ant/.hidden.png"), "no image");
    writeFileSync(join(root, "plain/README"), "no class");
    const dataset = await openDataset(`folder:${join(root, "plain")}`);
    expect(dataset).toMatchObject({
      name: "folder:plain",
      count: 4,
      shape: [3, 3, 4],
      classes: ["ant", "zebra"],
      notes: [
        "folder:plain: no class, since without images: empty",
        "folder:plain: 2 files passed over: 1 .txt, 1 no extension",
      ],
    });
    expect([...dataset.labels]).toEqual([0, 1, 0, 0]);
    const reds = bytesOf(await readPixels(dataset)).filter((_, i) => i % 36 === 0);
    expect(reds).toEqual([3, 1, 2, 4]);
    const rows = [0, 1, 2].flatMap((y) => [0, 1, 2, 3].map((x) => ({ x, y })));
    expect(bytesOf(await readPixels(dataset, [1]))).toEqual([
      ...rows.map(() => 1),
      ...rows.map(({ x }) => 10 * x),
      ...rows.map(({ y }) => 10 * y),
    ]);
  });

  test("what is not read is counted by kind", async () => {
    await draw("left/10/a.png", 1);
    await draw("left/9/a.png", 2);
    await draw("left/9/deeper/z.png", 4);
    await draw("left/9/deeper/.hidden/y.png", 5);
    await draw("left/stray.png", 3);
    for (const name of ["b.heic", "c.HEIC", "d.txt", "LICENSE"]) writeFileSync(join(root, "left/9", name), "");
    const { classes, notes, count } = await openDataset(`folder:${join(root, "left")}`);
    expect(classes).toEqual(["9", "10"]);
    // The image in a folder within the class belongs to the class.
    expect(count).toBe(3);
    expect(notes).toEqual([
      "folder:left: 5 files passed over: 2 .heic, 1 .png outside a class, 1 .txt, 1 no extension",
    ]);
  });

  test("without an image of a kind that is read is refused, and the files are counted", async () => {
    mkdirSync(join(root, "unread/a"), { recursive: true });
    writeFileSync(join(root, "unread/a/x.heic"), "");
    await expect(openDataset(`folder:${join(root, "unread")}`)).rejects.toThrow(
      /no images in its 1 sub-folders \(1 file passed over: \.heic\)/,
    );
  });

  test("the same image as .jfif, .avif, .bmp, .ppm and .pgm is read", async () => {
    const dir = join(root, "forms/c");
    mkdirSync(dir, { recursive: true });
    const grey = sharp(new Uint8Array(3 * 64).fill(100), { raw: { width: 8, height: 8, channels: 3 } });
    await grey.clone().jpeg({ quality: 100 }).toFile(join(dir, "a.jfif"));
    await grey.clone().avif({ lossless: true }).toFile(join(dir, "b.avif"));
    const header = Buffer.alloc(54);
    header.write("BM");
    for (const [at, value] of [
      [10, 54],
      [14, 40],
      [18, 8],
      [22, 8],
      [26, 1 + (24 << 16)],
    ] as const)
      header.writeUInt32LE(value, at);
    writeFileSync(join(dir, "c.bmp"), Buffer.concat([header, Buffer.alloc(192, 100)]));
    writeFileSync(join(dir, "d.ppm"), Buffer.concat([Buffer.from("P6 8 8 255\n"), Buffer.alloc(192, 100)]));
    writeFileSync(join(dir, "e.PGM"), Buffer.concat([Buffer.from("P5\n# grey\n8 8\n255\n"), Buffer.alloc(64, 100)]));
    const dataset = await openDataset(`folder:${join(root, "forms")}`);
    expect([dataset.count, dataset.notes]).toEqual([5, []]);
    expect(bytesOf(await readPixels(dataset)).every((value) => Math.abs(value - 100) <= 1)).toBe(true);
  });

  test("many records are read in the order asked for", async () => {
    for (let i = 0; i < 30; i++) await draw(`many/c/${String(i).padStart(2, "0")}.png`, i, 1, 1);
    const dataset = await openDataset(`folder:${join(root, "many")}`);
    const order = Array.from({ length: 60 }, (_, i) => (i * 7) % 30);
    expect(bytesOf(await readPixels(dataset, order)).filter((_, i) => i % 3 === 0)).toEqual(order);
  });

  test("grey, transparent, 16-bit and rotated images become upright 8-bit RGB", async () => {
    const dir = join(root, "kinds/c");
    mkdirSync(dir, { recursive: true });
    const raw = (channels: 1 | 4, bytes: number[]) =>
      sharp(Uint8Array.from(bytes), { raw: { width: 2, height: 1, channels } });
    await raw(1, [0, 200]).toColourspace("b-w").toFile(join(dir, "1-grey.png"));
    await raw(4, [10, 20, 30, 0, 40, 50, 60, 255]).toFile(join(dir, "2-alpha.png"));
    await sharp(Uint16Array.of(0, 0, 257 * 7, 257 * 255, 0, 257), { raw: { width: 2, height: 1, channels: 3 } })
      .toColourspace("rgb16")
      .toFile(join(dir, "3-deep.png"));
    await sharp(Uint8Array.of(9, 9, 9, 250, 250, 250), { raw: { width: 1, height: 2, channels: 3 } })
      .withMetadata({ orientation: 8 })
      .toFile(join(dir, "4-turned.png"));
    expect((await sharp(join(dir, "3-deep.png")).metadata()).depth).toBe("ushort");
    const dataset = await openDataset(`folder:${join(root, "kinds")}`);
    expect(dataset.shape).toEqual([3, 1, 2]);
    expect(bytesOf(await readPixels(dataset, [0]))).toEqual([0, 200, 0, 200, 0, 200]);
    expect(bytesOf(await readPixels(dataset, [1]))).toEqual([10, 40, 20, 50, 30, 60]);
    expect(bytesOf(await readPixels(dataset, [2]))).toEqual([0, 255, 0, 0, 7, 1]);
    // Orientation 8: turn by 90 degrees counter-clockwise, so the top pixel comes to the left.
    expect(bytesOf(await readPixels(dataset, [3]))).toEqual([9, 250, 9, 250, 9, 250]);
  });

  test("images of several sizes take the commonest, and any other size that is asked for", async () => {
    await draw("sizes/c/a.png", 5);
    await draw("sizes/c/b.png", 6, 8, 8);
    await draw("sizes/c/c.png", 7);
    const spec = `folder:${join(root, "sizes")}`;
    const dataset = await openDataset(spec);
    expect(dataset.shape).toEqual([3, 3, 4]);
    const how = "short side resized, centre cut out (?fit=pad or ?fit=stretch keep the edges)";
    expect(dataset.notes).toEqual([`folder:sizes: 1 of 3 images were brought to 4x3: ${how}`]);
    const larger = dataset.resized?.(2, 6);
    expect(larger?.shape).toEqual([3, 2, 6]);
    expect(larger?.notes).toEqual([`folder:sizes: all 3 images were brought to 6x2: ${how}`]);
    const asked = await openDataset(`${spec}?size=6x2`);
    expect([asked.shape, asked.notes, asked.resized]).toEqual([[3, 2, 6], [], undefined]);
    const reds = bytesOf(await readPixels(asked)).filter((_, i) => i % 36 < 12);
    expect(reds).toEqual([...Array(12).fill(5), ...Array(12).fill(6), ...Array(12).fill(7)]);
  });

  /** Three squares side by side: 10, 100 and 200. */
  async function squares(file: string): Promise<void> {
    const pixels = Array.from(
      { length: 3 * 12 * 4 },
      (_, i) => [10, 100, 200][Math.floor((Math.floor(i / 3) % 12) / 4)],
    );
    mkdirSync(dirname(join(root, file)), { recursive: true });
    await sharp(Uint8Array.from(pixels), { raw: { width: 12, height: 4, channels: 3 } }).toFile(join(root, file));
  }

  test("a wide image is cut at its centre, or keeps its edges", async () => {
    await squares("fits/c/a.png");
    const at = async (option: string) => {
      const all = await openDataset(`folder:${join(root, "fits")}${option}`);
      return bytesOf(await readPixels(all.resized?.(4, 4) ?? all)).slice(0, 16);
    };
    expect(await at("")).toEqual(Array(16).fill(100));
    expect(await at("?fit=crop")).toEqual(Array(16).fill(100));
    const stretched = await at("?fit=stretch");
    expect([stretched[0] < 60, stretched[3] > 150]).toEqual([true, true]);
    const padded = await at("?fit=pad");
    expect([padded.slice(0, 4), padded.slice(12)]).toEqual([Array(4).fill(0), Array(4).fill(0)]);
    expect(padded.slice(4, 12).some((value) => value > 0)).toBe(true);
    const both = await openDataset(`folder:${join(root, "fits")}?size=4x4&fit=pad`);
    expect(bytesOf(await readPixels(both)).slice(0, 16)).toEqual(padded);
  });

  test("the same bytes each time", async () => {
    await draw("same/c/a.png", 5, 17, 13);
    const spec = `folder:${join(root, "same")}?size=5x5`;
    expect(await readPixels(await openDataset(spec))).toEqual(await readPixels(await openDataset(spec)));
  });
});

describe("refusals", () => {
  test.each(["size=", "size=32", "size=0x4", "size=4x5000", "scale=2", "fit=zoom", ""])(
    "the option ?%s",
    async (option) => {
      await expect(openDataset(`folder:x?${option}`)).rejects.toThrow(
        `folder:x?${option}: got the option "${option}", expected size=WIDTHxHEIGHT with sides from 1 to 4096, or fit=crop|pad|stretch. Write folder:x?size=32x32 or folder:x?fit=pad. [data/spec]`,
      );
    },
  );

  test("no folder, and a folder without images", async () => {
    const none = join(root, "none");
    await expect(openDataset(`folder:${none}`)).rejects.toThrow(
      `${none}: does not exist. Check the path. [data/missing]`,
    );
    mkdirSync(join(root, "bare/c"), { recursive: true });
    await expect(openDataset(`folder:${join(root, "bare")}`)).rejects.toThrow(
      `folder:${join(root, "bare")}: no images in its 1 sub-folders. Give a folder with one sub-folder of .png .jpg .jpeg .jfif .webp .gif .tif .tiff .avif .bmp .ppm .pgm files for each class. [data/missing]`,
    );
  });

  test("a file that is no image is named when the folder is opened", async () => {
    mkdirSync(join(root, "fake/c"), { recursive: true });
    writeFileSync(join(root, "fake/c/a.png"), "not a picture");
    await expect(openDataset(`folder:${join(root, "fake")}`)).rejects.toThrow(
      `${join(root, "fake/c/a.png")}: cannot be decoded as an image (Input file contains unsupported image format). Replace or remove the file. [data/format]`,
    );
  });

  test("an image that is cut is named when it is read", async () => {
    await draw("cut/c/a.png", 1, 64, 64);
    const file = await draw("cut/c/b.png", 1, 64, 64);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - 60));
    const dataset = await openDataset(`folder:${join(root, "cut")}`);
    await expect(readPixels(dataset, [0])).resolves.toHaveLength(3 * 64 * 64);
    await expect(readPixels(dataset)).rejects.toThrow(
      /^.*b\.png: cannot be decoded as an image \(.+\)\. Replace or remove the file\. \[data\/format\]$/s,
    );
  });
});
