// Comfort only: every page works without this.
const root = document.documentElement;

// Theme: system → light → dark → system.
for (const button of document.querySelectorAll("[data-theme-switch]")) {
  const order = ["system", "light", "dark"];
  const show = () => { button.querySelector("span").textContent = root.dataset.theme ?? "system"; };
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(root.dataset.theme ?? "system") + 1) % order.length];
    if (next === "system") delete root.dataset.theme; else root.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem("theme"); else localStorage.setItem("theme", next);
    } catch { /* not kept, then */ }
    show();
  });
}

// `/` goes to the search field.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("input[type=search]");
  if (search) { event.preventDefault(); search.focus(); search.select(); }
});

// A choice in a filter takes effect at once, and what was left empty stays out of the address.
const clean = (form) => {
  for (const field of form.querySelectorAll("input, select")) if (field.name && field.value === "") field.disabled = true;
};
for (const form of document.querySelectorAll("form[data-live]")) {
  form.addEventListener("submit", () => clean(form));
  form.addEventListener("change", (event) => { if (event.target.matches("select, input[type=checkbox]")) form.requestSubmit(); });
}
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[data-live] :disabled")) field.disabled = false;
});

// Copying.
const status = document.querySelector("#status");
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      if (status) status.textContent = "Copied";
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    } catch {
      if (status) status.textContent = "The browser does not allow copying here";
    }
  });
}
