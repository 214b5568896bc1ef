/** @file The start of the page. */
import { render } from "preact";
import { start } from "./page/actions.js";
import { App } from "./ui/App.js";

const root = document.getElementById("app");
if (!root) throw new Error("bug: the page has no place for the app");
root.replaceChildren();
render(<App />, root);
void start();
