/** @file Checks the links of a folder of static pages: each leads to a file, and its anchor to an element. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { parseHTML } from "linkedom/worker";

/** All pages, the number of links inside the folder, and those that lead nowhere.
 * @param site the folder
 * @param apart folders whose pages are made elsewhere. Links to them are checked, links in them are not */
export function brokenLinks(site, apart = []) {
  const pages = readdirSync(site, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".html") && !apart.some((folder) => path.startsWith(`${folder}/`)))
    .map((path) => [path, parseHTML(readFileSync(join(site, path), "utf8")).document]);
  const documents = new Map(pages);
  const links = pages.flatMap(([path, document]) =>
    [...document.querySelectorAll("[href], [src]")]
      .map((element) => element.getAttribute("href") ?? element.getAttribute("src") ?? "")
      .filter((target) => target !== "" && !/^([a-z]+:|\/\/)/i.test(target))
      .map((target) => ({ path, target })),
  );
  const broken = links.flatMap((link) => {
    const why = fault(link, site, documents);
    return why ? [`${link.path}: ${link.target}: ${why}`] : [];
  });
  return { pages: pages.length, links: links.length, broken };
}

/** What is wrong with a link. Nothing: undefined. */
function fault({ path, target }, site, documents) {
  const [file = "", anchor] = decodeURI(target).split("#");
  const own = file.split("?")[0] === "" ? path : normalize(join(dirname(path), file.split("?")[0]));
  if (own.startsWith("..")) return "leads out of the site";
  const place = statSync(join(site, own), { throwIfNoEntry: false })?.isDirectory() ? join(own, "index.html") : own;
  if (!existsSync(join(site, place))) return "there is no such file";
  const document = documents.get(relative(".", place));
  // TypeDoc's page of hierarchies leaves out the rows of types outside the package.
  if (!anchor || !document || place === "hierarchy.html") return undefined;
  return document.getElementById(anchor) ? undefined : "there is no such heading";
}
