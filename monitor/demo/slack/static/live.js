// The page follows what happens, and forms are sent without leaving their place.
"use strict";

const PARTS = ["rail", "channel", "thread"];

async function refresh() {
  const answer = await fetch(location.pathname);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of PARTS) {
    const old = document.getElementById(id);
    const now = fresh.getElementById(id);
    if (old && now && old.innerHTML !== now.innerHTML) old.replaceChildren(...now.childNodes);
  }
}

new EventSource("/events").addEventListener("message", refresh);

document.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  if (form.matches(".say")) form.reset();
  if (event.submitter) event.submitter.disabled = form.matches(".actions");
  await fetch(form.getAttribute("action"), { method: "POST", body }); // a button is called action
  await refresh();
});
