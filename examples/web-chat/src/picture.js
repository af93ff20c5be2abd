// A picture of a message. Its address is asked for by a request of its own, is good for some minutes only, and the network
// may be away when it is asked for or followed. Unlike what comes over the socket nobody repeats that for us.

import { make, refused } from "./page.js";

const first = 1_000;
const longest = 15_000;

// A picture that is on this device only.
export function preview(file) {
  const address = URL.createObjectURL(file);
  const image = make("img", { alt: file.name, src: address });
  image.onload = image.onerror = () => URL.revokeObjectURL(address);
  return make("div", { className: "picture" }, image);
}

// Whether a file is a picture that a browser can show, which its name does not tell.
export async function isPicture(file) {
  const [image] = preview(file).children;
  return image.decode().then(() => true, () => false);
}

export function picture(media) {
  const note = make("p", { className: "note", hidden: true });
  const image = make("img", { alt: media.filename ?? "Picture" });
  const frame = make("div", { className: "picture" }, image, note);
  let wait = first;

  function load() {
    media.getContentTemporaryUrl().then((url) => (image.src = url), (error) => {
      if (refused(error)) explain("The picture cannot be shown.");
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
  // An image does not say why it failed. If its bytes come and are no picture, the network is not to blame.
  image.onerror = async () => {
    const bytes = await fetch(image.src).then((answer) => answer.ok && answer.blob()).catch(() => undefined);
    if (bytes && !(await isPicture(bytes))) explain("The picture cannot be shown.");
    else later();
  };
  load();
  return frame;
}
