// The playground's additions to SimCord's page: a row of buttons instead of the list of viewers,
// relative times ("in 42 seconds") that go on counting, whether it is a person who scrolls, and
// links to messages that lead to them here. Everything else is SimCord's own.

const picker = document.getElementById("viewer-picker");
const seats = document.createElement("div");
seats.className = "seats";
seats.setAttribute("role", "group");
seats.setAttribute("aria-label", "Play as");
picker.closest("label").after(seats);

function showSeats() {
  // While the viewer changes the list is empty for a moment: the row stays as it was.
  if (!picker.options.length) return;
  const label = document.createElement("span");
  label.textContent = "Play as";
  const buttons = [...picker.options].map((option) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "toolbar-button";
    button.textContent = option.textContent;
    button.setAttribute("aria-pressed", String(option.value === picker.value));
    button.addEventListener("click", () => {
      picker.value = option.value;
      picker.dispatchEvent(new Event("change", { bubbles: true }));
    });
    return button;
  });
  const shown = [...seats.querySelectorAll("button")];
  const same = shown.length === buttons.length && shown.every((button, index) =>
    button.textContent === buttons[index].textContent
    && button.getAttribute("aria-pressed") === buttons[index].getAttribute("aria-pressed"));
  if (!same) seats.replaceChildren(label, ...buttons);
}

const units = [["second", 1, 60], ["minute", 60, 3600], ["hour", 3600, 86400], ["day", 86400, Infinity]];
const wording = new Intl.RelativeTimeFormat("en-US", { numeric: "auto" });

function countOn() {
  for (const time of document.querySelectorAll("time[data-style='R']")) {
    const seconds = (new Date(time.dateTime).getTime() - Date.now()) / 1000;
    const [unit, size] = units.find(([, , limit]) => Math.abs(seconds) < limit);
    const text = wording.format(Math.round(seconds / size), unit);
    if (time.textContent !== text) time.textContent = text;
  }
}

// The value of a list changes without any event when the page itself sets it, so it is looked at.
setInterval(() => { showSeats(); countOn(); }, 250);

// The served timeline.js asks this: it leaves the bottom only when a hand moves it.
const timeline = document.getElementById("channel-timeline");
let touchedAt = -Infinity;
let held = false;
const touch = () => { touchedAt = performance.now(); };
for (const kind of ["wheel", "touchmove", "keydown"]) timeline.addEventListener(kind, touch, { passive: true });
timeline.addEventListener("pointerdown", (event) => { held = event.target === timeline; });
window.addEventListener("pointerup", () => { if (held) touch(); held = false; });
window.playgroundScrolls = () => held || performance.now() - touchedAt < 1000;

// Whoever sends something wants to see what comes of it.
document.getElementById("channel-composer").addEventListener("submit", () => {
  timeline.scrollTop = timeline.scrollHeight;
});

// The bot links its messages by their addresses at Discord, where they are not.
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element
    && event.target.closest("a[href^='https://discord.com/channels/']");
  if (!link) return;
  event.preventDefault();
  event.stopPropagation();
  const linked = document.querySelector(`[data-message-id="${link.pathname.split("/").pop()}"]`);
  if (!linked) return;
  touch();
  linked.scrollIntoView({ block: "start" });
}, true);
