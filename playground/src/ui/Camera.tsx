/** @file The camera, if the reader allows it. Its pictures stay in the page. */
import { useEffect, useRef, useState } from "preact/hooks";
import { showOwn } from "../page/actions.js";
import { pixelsOf } from "../page/picture.js";
import type { State } from "../page/state.js";

export function Camera({ state }: { readonly state: State }) {
  const video = useRef<HTMLVideoElement>(null);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let stream: MediaStream | undefined;
    let gone = false;
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then(
      (found) => {
        stream = found;
        if (gone) end(found);
        else if (video.current) video.current.srcObject = found;
      },
      () =>
        setProblem("There is no camera, or this page may not use it. Allow it in the browser's settings of this page."),
    );
    return () => {
      gone = true;
      end(stream);
    };
  }, []);
  const take = (): void => {
    if (!video.current || !state.facts) return;
    const size = { width: video.current.videoWidth, height: video.current.videoHeight };
    if (size.width > 0) void showOwn(pixelsOf(video.current, size, state.facts.dims), "your picture");
  };
  if (problem)
    return (
      <p class="hint" role="alert">
        {problem}
      </p>
    );
  return (
    <div class="camera">
      <video ref={video} autoPlay muted playsInline aria-label="What the camera sees" />
      <button type="button" class="plain" onClick={take}>
        Take this picture
      </button>
      <p class="hint">The picture is made as small as the network's images. It never leaves this page.</p>
    </div>
  );
}

const end = (stream: MediaStream | undefined): void => {
  for (const track of stream?.getTracks() ?? []) track.stop();
};
