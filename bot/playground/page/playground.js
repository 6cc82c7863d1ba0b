// The playground's additions to SimCord's page: a row of buttons instead of the list of viewers, a
// menu that closes, relative times ("in 42 seconds") that go on counting, whether it is a person who
// scrolls, links to messages that lead to them here, commands typed in one line, and a banner when
// nobody answers. Everything else is SimCord's own; what it calls here begins with "playground".

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
      touchedAt = -Infinity; // no hand moves what the change of seats will move
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

// A menu that is left is closed.
const menu = document.querySelector(".session-menu");
for (const kind of ["pointerdown", "focusin"]) {
  document.addEventListener(kind, (event) => { if (!menu.contains(event.target)) menu.open = false; }, true);
}
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

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
const composer = document.getElementById("channel-composer");
const toNewest = () => { timeline.scrollTop = timeline.scrollHeight; };
composer.addEventListener("submit", toNewest, true);
composer.addEventListener("keydown", (event) => { if (event.key === "Enter") toNewest(); }, true);

// The bot links its messages by their addresses at Discord, where they are not. One that is further
// back than the page reaches is fetched by the form that SimCord has for it.
const messages = document.getElementById("channel-message-list");
document.addEventListener("click", (event) => {
  const link = event.target instanceof Element
    && event.target.closest("a[href^='https://discord.com/channels/']");
  if (!link) return;
  event.preventDefault();
  event.stopPropagation();
  const id = link.pathname.split("/").pop();
  const linked = messages.querySelector(`[data-message-id="${id}"]`);
  touch();
  if (linked) linked.scrollIntoView({ block: "start" });
  else {
    document.getElementById("message-exact-id").value = id;
    document.getElementById("message-exact-form").requestSubmit();
  }
}, true);

// The served commands.js asks this: what "/story start premise: A keeper … genre: noir" comes to,
// typed or pasted as one line. Text without a name is the first option that has to be given; where
// none has to be, such a line is no command.
window.playgroundTyped = (entries, text) => {
  const line = text.trim().replace(/\s+/g, " ");
  const [entry] = entries.filter((known) => line.startsWith(`/${known.invocation} `))
    .sort((one, other) => other.invocation.length - one.invocation.length);
  if (!entry) return null;
  const values = {};
  let current = entry.options.find((option) => option.required)?.name;
  const rest = line.slice(entry.invocation.length + 2);
  const names = entry.options.map((option) => option.name).join("|");
  const [bare, ...named] = names ? rest.split(new RegExp(`(?:^|\\s)(${names}):\\s?`)) : [rest];
  if (bare && !current) return null;
  if (bare) values[current] = bare;
  for (let index = 0; index < named.length; index += 2) {
    const [name, value] = named.slice(index, index + 2);
    if (name in values) values[current] += ` ${name}: ${value}`;
    else if (value) values[current = name] = value;
  }
  return { entry, values };
};

// The served app.js tells this how it stands with the connection: what nobody answers any more can
// be read, but not pressed.
const banner = document.createElement("p");
banner.className = "playground-banner";
banner.setAttribute("role", "alert");
banner.hidden = true;
document.getElementById("toolbar").after(banner);
const OVER = "The playground has ended: make play begins another one.";
const LOST = "The playground has ended, or doesn't answer: look at its terminal. make play begins another one.";
window.playgroundConnection = (state) => {
  const said = { ended: OVER, error: LOST, uncertain: LOST }[state] || "";
  if (banner.textContent === said) return;
  banner.textContent = said;
  banner.hidden = !said;
  menu.open = false;
  for (const part of [composer, seats, menu]) part.inert = Boolean(said);
  document.body.classList.toggle("playground-over", Boolean(said));
};
