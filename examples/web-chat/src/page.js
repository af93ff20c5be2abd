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
  const answer = await fetch(`/api${path}`, { method, body: body && JSON.stringify(body) });
  const said = await answer.json().catch(() => ({ error: "the backend does not answer" }));
  if (!answer.ok) throw new Error(said.error);
  return said;
}

// Shows what went wrong, or that nothing is wrong any more.
export function trouble(error) {
  const place = byId("trouble");
  place.hidden = !error;
  place.textContent = error ? `Something went wrong: ${error.message}` : "";
}

export const clock = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

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
