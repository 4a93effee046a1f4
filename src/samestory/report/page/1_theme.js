// Light or dark: as the system has it, unless the reader chooses.
const THEMES = ["as the system", "light", "dark"];

function remembered() {
  try {
    return localStorage.getItem("samestory-theme");
  } catch {
    return null; // a page opened from a file may have no storage
  }
}

function useTheme(name) {
  if (name === "light" || name === "dark") {
    document.documentElement.dataset.theme = name;
  } else {
    delete document.documentElement.dataset.theme;
  }
  try {
    localStorage.setItem("samestory-theme", name);
  } catch {
    // then it holds until the page is closed
  }
  document.querySelector("#theme span").textContent = name;
}

function startTheme() {
  const button = document.getElementById("theme");
  let now = Math.max(0, THEMES.indexOf(remembered()));
  useTheme(THEMES[now]);
  button.hidden = false;
  button.addEventListener("click", () => {
    now = (now + 1) % THEMES.length;
    useTheme(THEMES[now]);
  });
}
