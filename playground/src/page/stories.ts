/** @file Prepared stories: links that show one thing each. */

export interface Story {
  readonly id: string;
  readonly title: string;
  /** What to look at, in one or two sentences. */
  readonly about: string;
  /** The state, as a link holds it. */
  readonly place: string;
  /** The part of the page that the story is about. */
  readonly part: "top" | "goals" | "thresholds" | "draw" | "own";
}

export const STORIES: readonly Story[] = [
  {
    id: "easy",
    title: "An easy image leaves early",
    about: "The first exit is sure at once. The network stops there and saves 87 % of its work.",
    place: "image=13&goal=slow",
    part: "top",
  },
  {
    id: "slow",
    title: "A cat that takes the whole way",
    about: "Each pixel moves by at most 2 of 255. No exit is sure any more, so the cat costs the full price.",
    place: "image=156&goal=slow&run=slow",
    part: "top",
  },
  {
    id: "early",
    title: "Wrong, and nobody notices",
    about: "The device stops at an early exit with a wrong answer. A check with the full network still says cat.",
    place: "image=156&goal=early&run=early",
    part: "top",
  },
  {
    id: "three",
    title: "Three goals, one cat",
    about: "The same image, the same method, the same radius. Only the goal differs.",
    place: "image=156&goal=wrong&run=all",
    part: "goals",
  },
  {
    id: "rounding",
    title: "Gone after saving",
    about:
      "The smallest change that works is finer than a file of 8 bits can hold. Saved as a picture, it no longer fools.",
    place: "image=33&goal=wrong&method=fmn&steps=30&run=wrong&magnify=100",
    part: "top",
  },
  {
    id: "thresholds",
    title: "Cheaper or better",
    about: "Move the thresholds: the accuracy and the mean cost of all 500 images move at once.",
    place: "image=156&goal=slow&thresholds=0.4,0.4,0.4,0.4,0.4,0.4",
    part: "thresholds",
  },
  {
    id: "draw",
    title: "Draw something",
    about: "Draw, and watch where the network gets sure.",
    place: "image=38&goal=slow",
    part: "draw",
  },
];

export const storyOf = (id: string | undefined): Story | undefined => STORIES.find((story) => story.id === id);
