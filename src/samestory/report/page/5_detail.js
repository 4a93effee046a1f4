// What a cluster or story opens to: its articles, and two of them side by side.
function detail(group) {
  const box = el("div", { class: "inside" });
  const stage = el("div", { class: "stage" });
  const lead = group.members[0];
  if (group.terms?.length) box.append(terms(group.terms));
  const buttons = [];
  const list = el("ul", { class: "members", "aria-label": "Articles" });
  for (const article of group.members) {
    const isLead = article === lead;
    const row = member(article, group, isLead);
    if (!isLead) {
      buttons.push(row);
      row.addEventListener("click", () => choose(row, article));
    }
    list.append(el("li", {}, row, link(article.url)));
  }
  box.append(el("p", { class: "aside" }, aside(group)), list, stage);
  const choose = (row, article) => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button === row));
    const [left, role] = leftOf(article, group);
    stage.replaceChildren(compare(left, article, role) ?? absent(group));
  };
  const rest = group.members.slice(1);
  const telling = (article) => (comparisonOf(leftOf(article, group)[0], article) ? 1 : 0)
    + (article.relation === "exact" ? 0 : article.jaccard);
  const first = rest.reduce((best, article, k) => (telling(article) > telling(rest[best]) ? k : best), 0);
  if (rest.length) choose(buttons[first], rest[first]);
  requestAnimationFrame(() => { list.scrollTop = (buttons[first]?.offsetTop ?? 0) - list.clientHeight / 2; });
  return box;
}

// Beside what an article is shown: one that is only linked shares too little with the representative, and the
// text of the representative may not be in the page.
function leftOf(article, group) {
  if (group.kind === "story") return [group.members[0], "first report"];
  if (article.beside < 0) return [group.members[0], "representative"];
  return [articles[article.beside], article.relation === "linked" ? "closest member" : "other member"];
}

function aside(group) {
  const isCluster = group.kind === "cluster";
  const shown = group.members.length;
  const all = countOf(group.size, "article");
  const cut = shown < group.size ? `The first ${numbers.format(shown)} of ${all}` : all;
  const order = isCluster ? "the representative first, then by date" : "by date";
  const linked = group.members.some((article) => article.relation === "linked" && article.beside >= 0);
  const beside = isCluster ? `the representative${linked ? ", or a linked one beside the member it is closest to" : ""}` : "the first report";
  return `${cut}, ${order}. Choose one to see it beside ${beside}.`;
}

function terms(list) {
  const made = el("ul", { class: "terms", "aria-label": "What holds the story together" });
  for (const [term, share] of list) made.append(el("li", {}, said(term), " ", el("small", {}, percent(share))));
  return made;
}

function member(article, group, isLead) {
  const facts = [article.source, dateOf(article.published, moments), lag(article.published, group.first)];
  const from = el("span", { class: "from" });
  facts.filter(Boolean).forEach((fact, k) => from.append(k ? " · " : "", said(fact)));
  const name = isLead && group.kind === "story" ? "first report" : badgeName(article, group);
  const children = [
    el("span", { class: `badge badge-${name.replace(" ", "-")}` }, name),
    el("span", { class: "what" }, said(article.title), from),
    el("span", { class: "scores" }, scores(article, group, isLead)),
  ];
  if (isLead) return el("div", { class: "member" }, ...children);
  return el("button", { type: "button", class: "member", "aria-pressed": "false" }, ...children);
}

function badgeName(article, group) {
  if (group.kind === "cluster") return article.relation;
  return article.relation === "unique" || article.relation === "representative" ? "report" : `${article.relation} copy`;
}

function scores(article, group, isLead) {
  if (isLead || (group.kind === "story" && (article.relation === "unique" || article.relation === "representative"))) return "";
  return `Jaccard ${article.jaccard.toFixed(2)} · ${percent(article.containment)} contained`;
}

function absent(group) {
  const why = document.getElementById("browser").dataset.noTexts;
  return el("p", { class: "aside" }, why || `The texts of this ${group.kind} are not in the page: it holds those of the largest and of the weakest only.`);
}
