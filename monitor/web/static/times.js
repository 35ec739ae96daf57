// Says of a time that is pointed at what it is where the reader sits. Comfort only.

const HERE = new Intl.DateTimeFormat(undefined, {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
});
const isUtc = new Date().getTimezoneOffset() === 0;

document.addEventListener("pointerover", (event) => {
  const time = event.target.closest?.("time[datetime]");
  if (isUtc || !time || time.dataset.here === time.dateTime) return;
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const [said] = time.title.split(" = ");
  time.title = [said, HERE.format(at)].filter(Boolean).join(" = ");
  time.dataset.here = time.dateTime;
});
