// The front page, live. Without this file it is the same page, as it was when it was loaded.

const stream = document.getElementById("stream");
const pill = document.getElementById("pill");
const news = document.getElementById("news");
const liveness = document.getElementById("liveness");
const waiting = new Map(); // by id of their element: stories that are new, and not shown yet

// ---------------------------------------------------------------- times

const SPANS = [[86400, "day"], [3600, "h"], [60, "min"], [1, "s"]];

function ago(then, now) {
  const seconds = Math.max(0, (now - then) / 1000);
  if (seconds < 1) return "now";
  if (seconds < 90) return `${Math.floor(seconds)} s ago`;
  for (const [length, name] of SPANS) {
    if (seconds < length) continue;
    const count = Math.floor(seconds / length);
    if (name === "day") return count > 30 ? null : `${count} ${count === 1 ? "day" : "days"} ago`;
    const minutes = Math.floor((seconds % 3600) / 60);
    if (name === "h" && minutes && count < 6) return `${count} h ${minutes} min ago`;
    return `${count} ${name} ago`;
  }
}

let ahead = 0; // the service's clock before this machine's, in milliseconds

function tellTimes() {
  const now = Date.now() + ahead;
  for (const each of document.querySelectorAll("time[data-ago]")) {
    const said = ago(new Date(each.dateTime), now);
    if (said && said !== each.textContent) each.textContent = said;
  }
}

setInterval(tellTimes, 10000);

// ---------------------------------------------------------------- stories

function element(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html; // made by the same templates as the page, escaped there
  return holder.content.firstElementChild;
}

function isReading() {
  const focus = document.activeElement;
  return window.scrollY > 240 || stream.contains(focus) || document.querySelector("dialog[open]");
}

function show(fresh) {
  const old = document.getElementById(fresh.id);
  if (old) old.remove();
  stream.prepend(fresh);
  const empty = document.getElementById("empty");
  if (empty) empty.hidden = true;
}

function count() {
  pill.hidden = waiting.size === 0;
  const said = `${waiting.size} new ${waiting.size === 1 ? "story" : "stories"}`;
  pill.firstElementChild.textContent = said;
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (waiting.size) document.title = `(${waiting.size}) ${document.title}`;
  return said;
}

function showWaiting() {
  for (const fresh of waiting.values()) show(fresh);
  waiting.clear();
  count();
  window.scrollTo(0, Math.max(0, stream.getBoundingClientRect().top + window.scrollY - 90));
  const first = stream.querySelector("article");
  if (first) first.focus({ preventScroll: true });
}

function told(said) {
  const fresh = element(said.html);
  const old = document.getElementById(fresh.id);
  const isNews = !old || old.dataset.at !== fresh.dataset.at;
  if (waiting.has(fresh.id)) {
    waiting.set(fresh.id, fresh);
  } else if (!isNews) {
    const focus = old.contains(document.activeElement) && document.activeElement;
    const place = focus ? [...old.querySelectorAll("a, article")].indexOf(focus) : -1;
    old.replaceWith(fresh);
    if (place >= 0) [...fresh.querySelectorAll("a, article")][place]?.focus({ preventScroll: true });
  } else if (isReading()) {
    waiting.set(fresh.id, fresh);
    news.textContent = count();
  } else {
    show(fresh);
    news.textContent = `New: ${fresh.querySelector("h3").textContent.trim()}`;
  }
}

// ---------------------------------------------------------------- the connection

let source = null;
let last = ""; // what we know up to, as the service writes it

function alive(word, title) {
  liveness.className = `liveness ${word}`;
  liveness.textContent = title;
}

function connect() {
  const url = new URL(stream.dataset.live, location.href);
  if (last) url.searchParams.set("since", last);
  source = new EventSource(url);
  source.onopen = () => alive("on", "Live");
  source.onerror = () => {
    alive("off", "Connecting again…");
    if (source.readyState === EventSource.CLOSED) {
      source = null;
      setTimeout(() => source === null && !document.hidden && connect(), 10000);
    }
  };
  source.addEventListener("story", (event) => {
    last = event.lastEventId || last;
    told(JSON.parse(event.data));
  });
  source.addEventListener("strip", (event) => {
    const said = JSON.parse(event.data);
    ahead = new Date(said.at) - Date.now();
    const strip = document.getElementById("strip");
    if (!strip.contains(document.activeElement)) strip.innerHTML = said.html;
    const clock = document.querySelector(".clock time");
    if (clock) {
      clock.textContent = said.clock;
      clock.dateTime = said.at;
      clock.title = "";
    }
    tellTimes();
  });
  source.addEventListener("missed", (event) => {
    const { stories } = JSON.parse(event.data);
    news.textContent = "Much has changed: load the page anew.";
    alive("off", "");
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = `${stories} stories have changed: load the page anew`;
    liveness.append(link);
    source.close();
  });
}

// a page that nobody sees keeps no connection: a browser has only six for a site
function attend() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null) {
    connect();
  }
}

if (stream.dataset.live) {
  attend();
  document.addEventListener("visibilitychange", attend);
  pill.firstElementChild.addEventListener("click", showWaiting);
}

// ---------------------------------------------------------------- keys

const keys = document.getElementById("keys");
const keysOn = document.getElementById("keys-on");
const KEPT = "monitor.keys";

function stored() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

keysOn.checked = stored();
keysOn.addEventListener("change", () => {
  try {
    localStorage.setItem(KEPT, keysOn.checked ? "on" : "off");
  } catch {
    // it holds until the page is left
  }
});

function move(by) {
  const all = [...stream.querySelectorAll("article")];
  const at = all.findIndex((each) => each.contains(document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  if (!next) return;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function open() {
  document.activeElement.closest("article")?.querySelector("a.opens")?.click();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  o: open,
  n: () => waiting.size && showWaiting(),
  "/": () => document.getElementById("q").select(),
  "?": () => keys.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || keys.open) return;
  // a dialog that was just closed holds the focus until the next frame
  const target = keys.contains(event.target) ? document.body : event.target;
  if (event.key === "Escape" && target.closest("form")) target.blur();
  if (target.closest("input, select, textarea, [contenteditable]")) return;
  if (event.key === "Enter" && target.matches(".stream article")) return open();
  if (keysOn.checked && Object.hasOwn(KEYS, event.key)) {
    event.preventDefault();
    KEYS[event.key]();
  }
});
