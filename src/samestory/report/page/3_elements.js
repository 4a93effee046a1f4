// Elements made from text alone: nothing that an article says is ever read as markup.
function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// Words of an article, whose direction of writing stays among themselves.
function said(words) {
  return el("bdi", {}, words);
}

const numbers = new Intl.NumberFormat("en-US");
const dates = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
});
const moments = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
});

function dateOf(seconds, format = dates) {
  const moment = seconds === null ? NaN : seconds * 1000;
  return Math.abs(moment) <= 8.64e15 ? format.format(moment) : "";
}

function countOf(count, one, many = `${one}s`) {
  return `${numbers.format(count)} ${count === 1 ? one : many}`;
}

function percent(share) {
  const value = share * 100;
  const digits = value > 0 && value < 10 ? 1 : 0;
  // 99.6 is not all.
  return share < 1 && value.toFixed(digits) === "100" ? "over 99 %" : `${value.toFixed(digits)} %`;
}

// How much later than the first one an article appeared.
function lag(seconds, first) {
  if (seconds === null || first === null || seconds <= first) return "";
  const minutes = Math.round((seconds - first) / 60);
  if (minutes < 60) return `+${minutes} min`;
  if (minutes < 60 * 48) return `+${Math.round(minutes / 60)} h`;
  return `+${numbers.format(Math.round(minutes / 1440))} days`;
}

function meter(share) {
  const bar = el("i");
  bar.style.setProperty("--share", share);
  return el("span", { class: "meter", "aria-hidden": "true" }, bar);
}

// Only addresses of the web become links.
function link(url) {
  if (!/^https?:\/\//i.test(url)) return null;
  return el("a", {
    class: "visit", href: url, rel: "noopener noreferrer nofollow", target: "_blank",
  }, "Open", el("span", { class: "unseen" }, " the article in a new tab"));
}
