/** @file Draws the pictures of docs/early-exits.md: exits.svg, cuts.svg and attacks.svg in docs/pictures. The bars of attacks.svg are
 *  what the bundled network says of a bundled image, as `dynn attack` prints it.
 *  Usage: npm run build && node scripts/make-drawings.mjs [--check]   (--check writes nothing and fails when a picture is stale) */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const root = resolve(import.meta.dirname, "..");

/** Colours that are read on white and on black. */
const STYLE = `
  text { font: 14px system-ui, sans-serif; fill: #1f2430 }
  .small { font-size: 12px } .title { font-weight: 600 } .mid { text-anchor: middle } .end { text-anchor: end }
  .box { fill: #e8edf5; stroke: #5b6b85 } .exit { fill: #d9efe0; stroke: #2e8b57 } .fired { fill: #2e8b57 } .bad { fill: #c0452c }
  .off { opacity: .35 } .line { stroke: #5b6b85; fill: none; stroke-width: 1.5 } .mark { stroke: #c77700; stroke-width: 1.5; stroke-dasharray: 4 3 }
  .white { fill: #fff } .bar { fill: #7d90ad } .cut { stroke: #c77700; stroke-width: 2; stroke-dasharray: 5 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9f0 } .box { fill: #2b3446; stroke: #93a4c0 } .exit { fill: #1f4030; stroke: #5fc48a } .line { stroke: #93a4c0 }
    .fired { fill: #3fa06a } .bad { fill: #e0664d } .bar { fill: #5f7290 } .mark, .cut { stroke: #ffb347 }
  }`;

const svg = (width, height, title, body) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">\n<title>${title}</title>\n<style>${STYLE}\n</style>\n<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#5b6b85"/></marker></defs>\n${body.join("\n")}\n</svg>\n`;
const text = (x, y, words, kind = "") => `<text x="${x}" y="${y}"${kind ? ` class="${kind}"` : ""}>${words}</text>`;
const box = (x, y, w, h, kind) => `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="6" class="${kind}"/>`;
const arrow = (x1, y1, x2, y2, kind = "") =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="line ${kind}" marker-end="url(#tip)"/>`;

/** A network with two early exits; the image stops at the second one. */
export function exitsPicture() {
  const blocks = [0, 1, 2].flatMap((k) => {
    const [x, off] = [110 + 190 * k, k === 2 ? " off" : ""];
    const [words, state] = [
      ["cat, 0.55", "below 0.80: go on"],
      ["cat, 0.93", "0.80 reached: stop"],
      ["never computed", "saved"],
    ][k];
    return [
      `<g class="${off.trim()}">`,
      arrow(x - 44, 70, x - 4, 70),
      box(x, 45, 140, 50, "box"),
      text(x + 70, 75, `blocks ${["1-3", "4-6", "7-9"][k]}`, "mid"),
      arrow(x + 70, 95, x + 70, 126),
      box(x, 128, 140, 50, k === 1 ? "fired" : "exit"),
      text(x + 70, 158, ["early exit 1", "early exit 2", "final exit"][k], k === 1 ? "mid white title" : "mid"),
      text(x + 70, 200, words, "mid title"),
      text(x + 70, 219, state, "mid small"),
      text(x + 70, 252, `cost so far: ${[30, 60, 100][k]} %`, "mid small"),
      "</g>",
    ];
  });
  return svg(680, 290, "A network with two early exits. The image stops at the second one.", [
    text(20, 24, "One image on its way: the second exit is confident enough, so the work stops there", "title"),
    box(16, 48, 46, 46, "box"),
    text(39, 76, "image", "mid small"),
    ...blocks,
    text(340, 280, "routed answer: cat, at 60 % of the cost", "mid title"),
  ]);
}

/** A block with a path around it: one arrow may be cut, two may not. */
export function cutsPicture() {
  return svg(680, 190, "Where a network can be cut in two, and where it cannot", [
    text(20, 24, "A cut: one value separates all before from all after", "title"),
    arrow(20, 100, 88, 100),
    box(90, 75, 100, 50, "box"),
    text(140, 105, "block", "mid"),
    arrow(190, 100, 288, 100),
    box(290, 75, 110, 50, "box"),
    text(345, 105, "convolution", "mid"),
    `<path d="M 250 100 V 50 H 440 V 82" class="line" marker-end="url(#tip)"/>`,
    arrow(400, 100, 424, 100),
    `<circle cx="440" cy="100" r="15" class="box"/>`,
    text(440, 106, "+", "mid"),
    arrow(455, 100, 548, 100),
    box(550, 75, 100, 50, "box"),
    text(600, 105, "block", "mid"),
    `<line x1="225" y1="62" x2="225" y2="140" class="cut"/>`,
    text(225, 162, "a cut", "mid small"),
    `<line x1="500" y1="62" x2="500" y2="140" class="cut"/>`,
    text(500, 162, "a cut", "mid small"),
    text(345, 162, "no cut: two values pass", "mid small"),
  ]);
}

/** Three panels of bars, one bar per exit: clean, slowed down, and misled early. */
export function attacksPicture(panels) {
  const body = panels.flatMap(({ title, lines, answers }, p) => {
    const left = 20 + 242 * p;
    const bars = answers.flatMap(({ exit, className, confidence, threshold, stops, wrong, ran }, k) => {
      const [y, long] = [70 + 30 * k, 92 * confidence];
      return [
        `<g class="${ran ? "" : "off"}">`,
        text(left, y + 13, exit, "small"),
        `<rect x="${left + 42}" y="${y}" width="${long.toFixed(1)}" height="17" class="${wrong ? "bad" : stops ? "fired" : "bar"}"/>`,
        text(left + 142, y + 13, `${className}${stops ? " &#9668;" : ""}`, stops ? "small title" : "small"),
        threshold === undefined
          ? ""
          : `<line x1="${(left + 42 + 92 * threshold).toFixed(1)}" y1="${y - 3}" x2="${(left + 42 + 92 * threshold).toFixed(1)}" y2="${y + 20}" class="mark"/>`,
        "</g>",
      ];
    });
    return [
      text(left, 24, title, "title"),
      ...bars,
      ...lines.map((line, i) => text(left, 302 + 17 * i, line, "small")),
    ];
  });
  return svg(740, 345, "What every exit says of one image: clean, slowed down, and misled early", [
    ...body,
    text(
      20,
      48,
      "bar: confidence. Dashed: threshold. Mark: the network stops here. Pale: never computed. Red: wrong.",
      "small",
    ),
  ]);
}

/** The panels, measured on the bundled network. */
async function panelsOf({ attackImage, load, openDataset, ortNode, readImages }) {
  const model = await load("zoo:resnet20-joint");
  const image = await readImages(await openDataset("sample"), [RECORD]);
  const asked = { backend: ortNode({ threads: 1 }), policy: model.policy };
  const [slow, early] = [
    await attackImage(model, image, { ...asked, goal: "slowdown" }),
    await attackImage(model, image, { ...asked, goal: "early" }),
  ];
  const panel = (title, answers, lines) => {
    const at = answers.findIndex(({ stops }) => stops);
    return {
      title,
      lines: [`stops at ${answers[at].exit}, ${Math.round(100 * answers[at].costFraction)} % of the cost`, ...lines],
      answers: answers.map((one, k) => ({ ...one, wrong: one.label !== slow.label, ran: k <= at })),
    };
  };
  return [
    panel("clean", slow.before, ["the answer is right"]),
    panel("slowdown", slow.after, ["no early exit fires: nothing saved"]),
    panel("early attack", early.after, ["wrong answer; the final exit is right"]),
  ];
}
const RECORD = 3;

async function main() {
  const dynn = await import(pathToFileURL(join(root, "dist/node/index.js")).href);
  const pictures = { exits: exitsPicture(), cuts: cutsPicture(), attacks: attacksPicture(await panelsOf(dynn)) };
  for (const [name, made] of Object.entries(pictures)) {
    const path = join(root, `docs/pictures/${name}.svg`);
    if (!process.argv.includes("--check")) writeFileSync(path, made);
    else if (readFileSync(path, "utf8") !== made) throw new Error(`${path} is stale: node scripts/make-drawings.mjs`);
  }
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename)) await main();
