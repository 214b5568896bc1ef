/** @file Counts what the API reference documents: public names, and members of public interfaces and classes. It ends with 1 below the aims.
 *  Usage: npm run docs:count [-- --list]   (--list names what has no text) */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Least shares, in percent. */
const AIMS = { names: 95, members: 90 };
/** TypeDoc's numbers of the kinds. */
const [MODULE, CLASS, INTERFACE, CONSTRUCTOR] = [2, 128, 256, 512];

const root = resolve(import.meta.dirname, "..");

/** A text stands on the declaration, on a call of it, or on a getter. */
function hasText({ comment, signatures = [], getSignature, type }) {
  const called = [...signatures, ...(getSignature ? [getSignature] : []), ...(type?.declaration?.signatures ?? [])];
  return [comment, ...called.map((each) => each.comment)].some((each) => each?.summary?.length > 0);
}

/** Names that users import. A name that is exported twice counts once: TypeDoc gives the second as a reference. */
const namesOf = (project) =>
  project.children.flatMap((child) =>
    child.kind === MODULE ? namesOf(child) : child.variant === "reference" ? [] : [child],
  );

const membersOf = (name) =>
  (name.kind === INTERFACE || name.kind === CLASS ? (name.children ?? []) : [])
    .filter((member) => member.kind !== CONSTRUCTOR)
    .map((member) => ({ ...member, name: `${name.name}.${member.name}` }));

/** How many of the reflections have a text, and the names of the others. */
function counted(reflections) {
  const without = reflections.filter((each) => !hasText(each)).map(({ name }) => name);
  return { total: reflections.length, documented: reflections.length - without.length, without };
}

export function countDocs(project) {
  const names = namesOf(project);
  return { names: counted(names), members: counted(names.flatMap(membersOf)) };
}

function main() {
  const file = join(root, ".cache/api.json");
  mkdirSync(join(root, ".cache"), { recursive: true });
  execFileSync("npm", ["run", "--silent", "json", "--workspace", "tools/api-docs"], { cwd: root, stdio: "inherit" });
  for (const [what, { total, documented, without }] of Object.entries(
    countDocs(JSON.parse(readFileSync(file, "utf8"))),
  )) {
    const share = (100 * documented) / total;
    console.log(`${what}: ${documented} of ${total} documented, ${share.toFixed(1)} % (aim ${AIMS[what]} %)`);
    if (process.argv.includes("--list")) console.log(without.map((name) => `  ${name}`).join("\n"));
    if (share < AIMS[what]) process.exitCode = 1;
  }
}

if (process.argv[1] && resolve(process.argv[1]) === resolve(import.meta.filename)) main();
