// What the reader can do, tied to the page.
function startList() {
  const heads = document.getElementById("heads");
  const order = document.getElementById("order");
  for (const column of COLUMNS) {
    const button = el("button", { type: "button", class: "sort", onclick: () => sortBy(column.name) }, column.label);
    heads.append(el("th", { scope: "col", role: "columnheader", class: column.css, "data-name": column.name }, button));
    for (const falling of [true, false]) {
      order.append(el("option", { value: `${column.name} ${falling}` }, `${column.label}, ${falling ? "falling" : "rising"}`));
    }
  }
  order.addEventListener("change", () => {
    const [sort, falling] = order.value.split(" ");
    change({ sort, falling: falling === "true" });
  });
  const query = document.getElementById("query");
  let waiting = 0;
  query.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change({ query: query.value }), 90);
  });
  for (const name of ["kind", "relation"]) {
    const select = document.getElementById(name);
    select.addEventListener("change", () => change({ [name]: select.value }));
  }
  document.getElementById("tools").addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("clear").addEventListener("click", () => {
    query.value = "";
    for (const name of ["kind", "relation"]) document.getElementById(name).value = "";
    change({ query: "", kind: "", relation: "", from: "", to: "" });
    query.focus();
  });
  document.getElementById("more").addEventListener("click", showMore);
  document.getElementById("rows").addEventListener("keydown", leave);
  for (const flow of document.querySelectorAll(".flow")) {
    flow.addEventListener("click", () => {
      change({ from: flow.dataset.from, to: flow.dataset.to });
      document.getElementById("list").scrollIntoView();
      document.getElementById("clear").focus({ preventScroll: true });
    });
  }
  if (!stories.length) document.getElementById("kind").parentElement.hidden = true;
  document.getElementById("browser").hidden = !groups.length;
  render();
}

// The rows that come are appended, and the first of them is where the reader goes on.
function showMore() {
  const before = state.shown;
  state.shown += STEP;
  const found = wanted().slice(before, state.shown);
  document.getElementById("rows").append(...found.flatMap(rowsOf));
  const left = wanted().length - state.shown;
  const more = document.getElementById("more");
  more.hidden = left <= 0;
  more.textContent = `Show ${numbers.format(Math.min(STEP, Math.max(left, 0)))} more`;
  document.getElementById(`open-${found[0].key}`).focus();
}

// Escape closes what is open around the focus.
function leave(event) {
  if (event.key !== "Escape") return;
  const row = event.target.closest("tr");
  const opener = row?.classList.contains("detail") ? row.previousElementSibling.querySelector(".open") : row?.querySelector(".open");
  if (opener?.getAttribute("aria-expanded") === "true") {
    opener.click();
    opener.focus();
  }
}

startTheme();
startList();
performance.mark("ready");
document.documentElement.dataset.ready = "yes";
