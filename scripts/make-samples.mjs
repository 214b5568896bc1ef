#!/usr/bin/env node
/** @file Makes samples/: 500 CIFAR-10 test images, 50 a class, in one lossless sprite, with labels and provenance.
 *  Every record gets the key SHA-256("SEED:RECORD"); the 50 smallest keys of each class are taken. First come the records
 *  with the smallest key of their class, in order of the key, then those with the second smallest, and so on.
 *  So the choice looks random, each ten images hold every class once, and anyone can repeat it without this script.
 *  Usage: node scripts/make-samples.mjs DIR   (DIR holds test_batch.bin and batches.meta.txt) */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";

const [SEED, PER_CLASS, COLUMNS, SIDE] = [2009, 50, 25, 32];
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

const sha256 = (data) => createHash("sha256").update(data).digest("hex");

function choose(batch, classes) {
  const all = Array.from({ length: batch.length / RECORD }, (_, record) => ({
    record,
    label: batch[record * RECORD],
    key: sha256(`${SEED}:${record}`),
  }));
  const byKey = (a, b) => (a.key < b.key ? -1 : 1);
  const ranked = classes.flatMap((_, label) => {
    const ofClass = all.filter((item) => item.label === label).sort(byKey);
    return ofClass.slice(0, PER_CLASS).map((item, rank) => ({ ...item, rank }));
  });
  return ranked.sort((a, b) => a.rank - b.rank || byKey(a, b));
}

/** Tiles of interleaved RGB, row by row. */
function drawSprite(images) {
  const width = COLUMNS * SIDE;
  const sprite = Buffer.alloc(images.length * PLANE * 3);
  images.forEach((planes, tile) => {
    for (let i = 0; i < PLANE; i++) {
      const x = (tile % COLUMNS) * SIDE + (i % SIDE);
      const y = Math.floor(tile / COLUMNS) * SIDE + Math.floor(i / SIDE);
      for (let channel = 0; channel < 3; channel++) sprite[(y * width + x) * 3 + channel] = planes[channel * PLANE + i];
    }
  });
  return sharp(sprite, { raw: { width, height: (images.length / COLUMNS) * SIDE, channels: 3 } });
}

const [dir] = process.argv.slice(2);
if (!dir) {
  console.error("usage: node scripts/make-samples.mjs DIR");
  process.exit(2);
}
const out = join(import.meta.dirname, "../samples");
const batch = readFileSync(join(dir, "test_batch.bin"));
const classes = readFileSync(join(dir, "batches.meta.txt"), "utf8").split("\n").filter(Boolean);
const chosen = choose(batch, classes);
const images = chosen.map(({ record }) => batch.subarray(record * RECORD + 1, (record + 1) * RECORD));
const sprite = drawSprite(images);
const files = {
  "cifar10-500.png": await sprite.clone().png({ compressionLevel: 9, adaptiveFiltering: true }).toBuffer(),
  "cifar10-500.webp": await sprite.clone().webp({ lossless: true, effort: 6 }).toBuffer(),
};
const [name, bytes] = Object.entries(files).reduce((best, file) => (file[1].length < best[1].length ? file : best));
const manifest = {
  sprite: name,
  tile: { width: SIDE, height: SIDE },
  columns: COLUMNS,
  provenance: {
    dataset: "CIFAR-10, test images",
    source: "Alex Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    choice: `of each class the ${PER_CLASS} records with the smallest SHA-256 of "SEED:RECORD"; ordered by rank in the class, then by that hash`,
    seed: SEED,
    madeBy: "scripts/make-samples.mjs",
    batchSha256: sha256(batch),
    pixelsSha256: sha256(Buffer.concat(images)),
  },
  classes,
  labels: chosen.map(({ label }) => label),
  records: chosen.map(({ record }) => record),
};
const lists = /\[[\d,\s]+\]/g;
const text = JSON.stringify(manifest, null, 2).replace(lists, (list) => list.replace(/\s+/g, "").replaceAll(",", ", "));
writeFileSync(join(out, name), bytes);
writeFileSync(join(out, "cifar10-500.json"), `${text}\n`);
for (const [file, content] of Object.entries(files)) console.log(`${file}: ${content.length} bytes`);
console.log(`kept ${name}`);
