// A picture of a message. Its address is asked for by a request of its own, is good for some minutes only, and the network
// may be away when it is asked for or followed. Unlike what comes over the socket nobody repeats that for us.

import { make } from "./page.js";

const first = 1_000;
const longest = 15_000;
const mostBroken = 3;

export function picture(media) {
  const note = make("p", { className: "note", hidden: true });
  const image = make("img", { alt: media.filename ?? "Picture" });
  const frame = make("div", { className: "picture" }, image, note);
  let wait = first;
  let broken = 0;

  function load() {
    media.getContentTemporaryUrl().then((url) => (image.src = url), ({ code }) => {
      // The server's no is final.
      if (code >= 400 && code < 500 && code !== 429) explain("The picture cannot be shown.");
      else later();
    });
  }
  // Tries again, in growing steps, until it comes or the message is gone.
  function later() {
    explain("The picture comes when the network is back.");
    setTimeout(() => frame.isConnected && load(), wait);
    wait = Math.min(wait * 2, longest);
  }
  function explain(sentence) {
    note.textContent = sentence ?? "";
    note.hidden = !sentence;
    image.hidden = Boolean(sentence);
  }
  image.onload = () => explain();
  // Where the address is found and the picture is not, it may be that this is no picture.
  image.onerror = () => {
    broken += 1;
    if (broken < mostBroken) later();
    else explain("The picture cannot be shown.");
  };
  load();
  return frame;
}
