/** @file The whole page. */
import { useMemo } from "preact/hooks";
import { tell } from "../page/actions.js";
import { type State, set, useApp } from "../page/state.js";
import { STORIES, type Story, storyOf } from "../page/stories.js";
import { Goals } from "./Goals.js";
import { Ladder } from "./Ladder.js";
import { Options } from "./Options.js";
import { OwnModel } from "./OwnModel.js";
import { Picker } from "./Picker.js";
import { Share } from "./Share.js";
import { Stage } from "./Stage.js";
import { Thresholds } from "./Thresholds.js";

export function App() {
  const state = useApp();
  const { stage } = state;
  return (
    <>
      <header class="top">
        <p class="brand">
          dynn <span>playground</span>
        </p>
        <nav aria-label="Stories">
          <Stories state={state} />
        </nav>
      </header>
      <main data-stage={stage} data-visits={state.visits}>
        <Opening state={state} />
        {state.error && (
          <div class="problem" role="alert">
            <p>{state.error}</p>
            <button type="button" class="plain" onClick={() => set({ error: undefined })}>
              Close
            </button>
          </div>
        )}
        {stage === "ready" && <Body state={state} />}
      </main>
      <footer>
        <p>
          Everything runs in this page. No image and no network leaves it. The engine is ONNX Runtime for the web; the
          attacks are those of the dynn command.
        </p>
      </footer>
    </>
  );
}

function Opening({ state }: { readonly state: State }) {
  const story = storyOf(state.story);
  return (
    <div class="opening">
      <h1>{story ? story.title : "A network that stops thinking when it is sure"}</h1>
      <p class="lead">
        {story
          ? story.about
          : "Easy images leave at an early exit and cost little. A change that you cannot see makes one think the whole way. Try it:"}
      </p>
      {state.stage === "loading" && <p role="status">Starting the engine in this page…</p>}
    </div>
  );
}

function Stories({ state }: { readonly state: State }) {
  return (
    <ul class="stories">
      {STORIES.map((story) => (
        <li key={story.id}>
          <a
            href={hrefOf(story)}
            aria-current={state.story === story.id ? "page" : undefined}
            onClick={(event) => {
              event.preventDefault();
              void open(story);
            }}
          >
            {story.title}
          </a>
        </li>
      ))}
    </ul>
  );
}

const hrefOf = ({ id, place }: Story): string => `#story=${id}&${place}`;

async function open(story: Story): Promise<void> {
  const told = tell(hrefOf(story));
  const part = story.part === "top" ? null : document.getElementById(story.part);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (part) part.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  else scrollTo({ top: 0, behavior: calm ? "auto" : "smooth" });
  await told;
}

/** An attack changes its own parts many times a second. The others are drawn again only when what
 * they show has changed. */
function Body({ state }: { readonly state: State }) {
  const { facts, shown, policy, settings, catalogue, goal } = state;
  const picker = useMemo(() => <Picker state={state} />, [facts, shown, state.set, state.story]);
  const options = useMemo(() => <Options state={state} />, [settings, catalogue]);
  const thresholds = useMemo(
    () => <Thresholds state={state} />,
    [facts, policy, state.set, state.survey, state.surveyError, state.surveyed, state.curve],
  );
  const own = useMemo(() => <OwnModel state={state} />, [facts, state.busy, state.provider]);
  const share = useMemo(() => <Share state={state} />, [facts, shown, policy, settings, catalogue, goal, state.set]);
  return (
    <div class="body">
      <Stage state={state} />
      <Ladder state={state} />
      {picker}
      <Goals state={state} />
      {options}
      {thresholds}
      {own}
      {share}
    </div>
  );
}
