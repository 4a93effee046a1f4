// The list: searched, filtered, sorted, and shown some rows at a time.
const STEP = 25;
const COLUMNS = [
  { name: "title", label: "Title", css: "title", of: (group) => group.title, text: true },
  { name: "size", label: "Articles", css: "number", of: (group) => group.size },
  { name: "sources", label: "Sources", css: "number sources", of: (group) => group.sources },
  { name: "weakest", label: "Least overlap", css: "overlap", of: (group) => group.weakest },
  { name: "first", label: "First published", css: "date", of: (group) => group.first },
];
const collator = new Intl.Collator("en", { sensitivity: "base", numeric: true });
const state = { query: "", kind: "", relation: "", from: "", to: "", sort: "size", falling: true, shown: STEP };
const opened = new Set();

function folded(words) {
  return words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

// Made when the first search is: it costs more than all else on the page.
function haystack(group) {
  group.haystack ??= folded([
    group.title, group.id, ...(group.terms || []).map((term) => term[0]),
    ...group.members.flatMap((article) => [article.title, article.id, article.source]),
  ].join("\n"));
  return group.haystack;
}

function isWanted(group, words) {
  if (state.kind && group.kind !== state.kind) return false;
  if (state.relation) {
    const k = page.relations.indexOf(state.relation) - 2;
    if (!group.relations?.[k]) return false;
  }
  if (state.from && !isFlow(group)) return false;
  return words.every((word) => haystack(group).includes(word));
}

function isFlow(group) {
  if (group.kind !== "cluster") return false;
  const founder = group.members.find((article) => article.id === group.id);
  return founder?.source === state.from
    && group.members.some((article) => article !== founder && article.source === state.to);
}

function compareGroups(column) {
  const sign = state.falling ? -1 : 1;
  return (a, b) => {
    const [x, y] = [column.of(a), column.of(b)];
    if (x === null || y === null) return (x === null) - (y === null); // what is not known is last, either way
    return sign * (column.text ? collator.compare(x, y) : x - y);
  };
}

function wanted() {
  const words = folded(state.query).split(/\s+/).filter(Boolean);
  const column = COLUMNS.find((each) => each.name === state.sort);
  return groups.filter((group) => isWanted(group, words)).sort(compareGroups(column));
}

function render() {
  const found = wanted();
  const body = document.getElementById("rows");
  body.replaceChildren(...found.slice(0, state.shown).flatMap(rowsOf));
  const status = document.getElementById("found");
  status.textContent = found.length === groups.length
    ? `${numbers.format(found.length)} listed` : `${numbers.format(found.length)} of ${numbers.format(groups.length)} listed`;
  const clear = document.getElementById("clear");
  clear.hidden = !(state.query || state.kind || state.relation || state.from);
  clear.replaceChildren("Show all again", ...(state.from ? [": ", said(state.from), " copied by ", said(state.to)] : []));
  const more = document.getElementById("more");
  more.hidden = found.length <= state.shown;
  more.textContent = `Show ${numbers.format(Math.min(STEP, found.length - state.shown))} more`;
  for (const head of document.querySelectorAll("#heads th")) {
    if (head.dataset.name === state.sort) head.setAttribute("aria-sort", state.falling ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  document.getElementById("order").value = `${state.sort} ${state.falling}`;
}

function rowsOf(group) {
  const button = el("button", {
    type: "button", class: "open", "aria-expanded": String(opened.has(group.key)), "aria-controls": `in-${group.key}`,
    id: `open-${group.key}`,
  }, said(group.title));
  const cells = [
    el("th", { scope: "row", role: "rowheader", class: "title" }, button, el("div", { class: "sub" }, ...describe(group))),
    cell("number", "articles", numbers.format(group.size)),
    cell("number sources", "sources", numbers.format(group.sources)),
    cell("overlap", "overlap", ...(group.weakest === null ? ["–"] : [group.weakest.toFixed(2), meter(group.weakest)])),
    cell("date", "first", dateOf(group.first) || "–"),
  ];
  const row = el("tr", { role: "row", class: "row" }, ...cells);
  const inside = el("tr", { role: "row", class: "detail", id: `in-${group.key}`, hidden: true });
  button.addEventListener("click", () => toggle(group, button, inside));
  if (opened.has(group.key)) fill(group, inside);
  return [row, inside];
}

// On a phone there is no room for heads: there each cell shows what it is.
function cell(css, label, ...children) {
  return el("td", { role: "cell", class: css, "data-label": label }, ...children);
}

function describe(group) {
  if (group.kind === "story") {
    const parts = ["Story of ", countOf(group.parts, "cluster")];
    const told = group.terms.slice(0, 5).flatMap(([term], k) => [k ? ", " : ": ", said(term)]);
    return [...parts, ...told];
  }
  const kinds = page.relations.slice(2);
  const told = group.relations.map((count, k) => (count ? `${numbers.format(count)} ${kinds[k]}` : "")).filter(Boolean);
  return [`Cluster: ${told.join(", ")}`];
}

function fill(group, inside) {
  inside.hidden = false;
  if (!inside.childElementCount) inside.append(el("td", { role: "cell", colspan: COLUMNS.length }, detail(group)));
}

function toggle(group, button, inside) {
  const opens = !opened.has(group.key);
  button.setAttribute("aria-expanded", String(opens));
  if (opens) {
    opened.add(group.key);
    fill(group, inside);
  } else {
    opened.delete(group.key);
    inside.hidden = true;
  }
}

function change(values) {
  Object.assign(state, { shown: STEP }, values);
  render();
}

function sortBy(name) {
  const column = COLUMNS.find((each) => each.name === name);
  change({ sort: name, falling: state.sort === name ? !state.falling : !column.text && name !== "weakest" });
}
