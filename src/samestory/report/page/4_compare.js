// Two articles side by side, what they share marked passage by passage.
function pieces(text, spans) {
  const found = [];
  let told = 0;
  for (const part of text.parts) {
    if (part.begin > told) found.push(gap(part.begin - told));
    told = part.begin + part.words.length;
    found.push(...partPieces(part, told, spans));
  }
  if (told < text.length) found.push(gap(text.length - told));
  return found;
}

function partPieces(part, end, spans) {
  const found = [];
  let at = part.begin;
  const words = (from, to) => part.words.slice(from - part.begin, to - part.begin);
  for (let k = 0; k < spans.length; k += 3) {
    const from = Math.max(spans[k], at);
    const to = Math.min(spans[k + 1], end);
    if (from >= to) continue;
    if (from > at) found.push(words(at, from));
    found.push(piece(words(from, to), spans[k + 2]));
    at = to;
  }
  if (at < end) found.push(words(at, end));
  return found;
}

function piece(words, passage) {
  if (passage) return el("mark", { "data-passage": passage }, words);
  return el("span", { class: "furniture", title: "Page furniture: not compared" }, words);
}

function gap(length) {
  return el("span", { class: "gap" }, `… ${countOf(length, "more character")} …`);
}

function sideOf(article, text, spans, role) {
  const pane = el("div", { class: "pane", tabindex: "0", role: "group", dir: "auto" });
  pane.setAttribute("aria-label", `Text of the ${role}`);
  pane.append(...(text.length ? pieces(text, spans) : [el("span", { class: "gap" }, "(no text)")]));
  const facts = [role, article.source, dateOf(article.published, moments)].filter(Boolean);
  const about = el("p", {});
  facts.forEach((fact, k) => about.append(k ? " · " : "", said(fact)));
  return { pane, box: el("div", { class: "side" }, el("header", {}, el("h4", {}, said(article.title)), about), pane) };
}

function verdict(comparison, role) {
  const [, , jaccard, rightInLeft, leftInRight] = comparison;
  return el("p", { class: "verdict" },
    el("b", {}, percent(rightInLeft)), ` of this article's phrases are in the ${role}, `,
    el("b", {}, percent(leftInRight)), ` of the ${role}'s in this one; Jaccard similarity `,
    el("b", {}, jaccard.toFixed(2)), ".");
}

function compare(left, right, role) {
  const comparison = comparisonOf(left, right);
  if (!comparison) return null;
  const sides = [
    sideOf(left, textOf(left), comparison[0], role),
    sideOf(right, textOf(right), comparison[1], "article"),
  ];
  const box = el("div", { class: "compare" }, el("h3", {}, "What they share"), verdict(comparison, role));
  box.append(guide(sides), el("div", { class: "sides" }, sides[0].box, sides[1].box));
  requestAnimationFrame(() => box.querySelector(".next")?.click()); // once it has a place: to the first passage
  return box;
}

// Steps from passage to passage, on both sides at once.
function guide(sides) {
  const marks = sides.map((side) => [...side.pane.querySelectorAll("mark")]);
  const both = new Set(marks[0].map((mark) => mark.dataset.passage));
  const order = [...new Set(marks[1].map((mark) => mark.dataset.passage))].filter((n) => both.has(n));
  order.sort((a, b) => a - b);
  const where = el("span", { role: "status" });
  let now = -1;
  const show = (k) => {
    now = k;
    where.textContent = `Passage ${k + 1} of ${order.length}`;
    sides.forEach((side, n) => {
      let first = null;
      for (const mark of marks[n]) {
        const isNow = mark.dataset.passage === order[k];
        mark.classList.toggle("now", isNow);
        if (isNow) first ??= mark;
      }
      if (first) side.pane.scrollTop = first.offsetTop - side.pane.clientHeight / 3;
    });
  };
  for (const mark of marks.flat()) {
    mark.addEventListener("click", () => {
      const k = order.indexOf(mark.dataset.passage);
      if (k >= 0) show(k);
    });
  }
  if (!order.length) return el("p", { class: "guide" }, "They share no passage.");
  const step = (by) => () => show((now + by + order.length) % order.length);
  return el("div", { class: "guide" },
    el("span", { class: "steps" },
      el("button", { type: "button", class: "previous", onclick: step(-1) }, "Previous"),
      el("button", { type: "button", class: "next", onclick: step(1) }, "Next"), where),
    el("span", {}, el("mark", {}, "shared"), " "),
    el("span", {}, el("span", { class: "furniture" }, "page furniture"), ", not compared"));
}
