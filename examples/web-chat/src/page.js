// Small things that the pages share.

// Makes an element. Properties that are undefined are left out.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) if (value !== undefined) element[name] = value;
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

export const byId = (id) => document.getElementById(id);

// Calls the backend.
export async function ask(path, method = "GET", body) {
  const answer = await fetch(`/api${path}`, { method, body: body && JSON.stringify(body) }).catch(() => {
    throw new Error("the backend does not answer");
  });
  const said = await answer.json().catch(() => ({ error: "the backend does not answer" }));
  if (!answer.ok) throw new Error(said.error);
  return said;
}

// Does what must succeed for the page to be of use: tries until it does, and says meanwhile what is in the way.
export async function insist(work) {
  for (;;) {
    try {
      const done = await work();
      trouble();
      return done;
    } catch (error) {
      trouble(error);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

// Whether the server said no, which is final. The SDK gives its status by one name or the other; what got lost on the way
// has none.
export const refused = ({ status, code }) => [status, code].some((no) => no >= 400 && no < 500 && no !== 429);

// An error's words. The SDK's own for a connection that is away are for developers.
export function reason(error) {
  const { message, body } = error;
  if (refused(error)) return body?.message ?? message;
  return /timed? ?out|unable to connect|disconnected/i.test(message) ? "the server does not answer" : message;
}

// Shows what went wrong, or that nothing is wrong any more.
export function trouble(error) {
  const place = byId("trouble");
  place.hidden = !error;
  place.textContent = error ? `Something went wrong: ${reason(error)}` : "";
}

// The time, and the day if it is another than today.
export function clock(date) {
  const time = { hour: "2-digit", minute: "2-digit" };
  if (date.toDateString() === new Date().toDateString()) return date.toLocaleTimeString([], time);
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return date.toLocaleString([], { year, month: "short", day: "numeric", ...time });
}

// A text field that sends on Enter; Shift+Enter begins a new line. It is open from now on: before there is somebody to
// send what is written, nothing can be written that would be lost.
export function composer(send) {
  const form = byId("composer");
  const text = byId("text");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(text.value.trim());
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.querySelector("fieldset").disabled = false;
  return text;
}
