// What the page holds, with names instead of places in lists.
const page = JSON.parse(document.getElementById("data").textContent);
let heldTexts = null;

const articles = page.articles.map((row, place) => {
  const [id, title, source, url, published, relation, jaccard, containment, furniture, cluster, beside] = row;
  return {
    place, id, title: title || id, source: source < 0 ? "" : page.sources[source], url, published,
    relation: page.relations[relation], jaccard, containment, furniture, cluster, beside,
  };
});

const clusters = page.clusters.map((row, number) => {
  const [id, size, sources, weakest, relations, first, last, places] = row;
  const members = places.map((place) => articles[place]);
  return {
    kind: "cluster", key: `c${number}`, id, title: members[0].title, size, sources, weakest, relations,
    first, last, members,
  };
});

const stories = page.stories.map((row, number) => {
  const [id, title, size, parts, sources, terms, first, last, places] = row;
  const members = places.map((place) => articles[place]);
  return {
    kind: "story", key: `s${number}`, id, title: title || id, size, parts, sources, terms, weakest: null,
    relations: null, first, last, members,
  };
});

const groups = [...clusters, ...stories];

// Only read when a cluster is first opened: most of the page's bytes are here.
function texts() {
  heldTexts ??= JSON.parse(document.getElementById("texts").textContent);
  return heldTexts;
}

function comparisonOf(left, right) {
  return texts().comparisons[`${left.place}-${right.place}`];
}

function textOf(article) {
  const row = texts().texts[article.place];
  if (!row) return null;
  const parts = [];
  for (let k = 1; k < row.length; k += 2) parts.push({ begin: row[k], words: row[k + 1] });
  return { length: row[0], parts };
}
