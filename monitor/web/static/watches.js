// While a query is typed, says below it what is wrong in it, or how it is read. The page works without.

const PAUSE = 350; // milliseconds without a key after which is asked
const LONGEST = 3000; // characters: what is longer waits for the button

const form = document.querySelector("form.draft");
const answer = document.getElementById("answer");
const text = form?.elements.namedItem("text");
let timer = 0;
let asking = null;

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const typed = new FormData(form);
  if (typed.get("text").length > LONGEST) return;
  const fields = new URLSearchParams();
  for (const name of ["of", "kind", "text"]) fields.set(name, typed.get(name) ?? "");
  try {
    const response = await fetch(`/watches/check?${fields}`, { signal: asking.signal });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    answer.replaceChildren(...page.body.childNodes);
    const wrong = answer.querySelector("#text-error") !== null;
    if (wrong) {
      text.setAttribute("aria-invalid", "true");
      text.setAttribute("aria-describedby", "text-error");
    } else {
      text.removeAttribute("aria-invalid");
      text.removeAttribute("aria-describedby");
    }
  } catch {
    // broken off by the next key, or the service is away: the button tells
  }
}

if (form && answer && text) {
  form.addEventListener("input", (event) => {
    if (event.target !== text && event.target.name !== "kind") return;
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
}
