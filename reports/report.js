"use strict";
// Only what cannot be done without a script: filters, copying, and the charts' cursor and zoom.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Copy: a button copies the text of the element before it.
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.body.appendChild(document.createElement("textarea"));
      area.value = text;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  for (const button of all(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await copied(button.previousElementSibling.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  // Filters: by severity, family and file.
  const form = document.querySelector(".filters");
  const filter = () => {
    const chosen = new FormData(form);
    const severities = chosen.getAll("severity");
    const findings = all(".finding");
    for (const finding of findings) {
      const { severity, family, file } = finding.dataset;
      finding.hidden = !(severities.includes(severity)
        && ["", family].includes(chosen.get("family")) && ["", file].includes(chosen.get("file")));
    }
    for (const group of all(".severity")) group.hidden = all(".finding:not([hidden])", group).length === 0;
    const shown = findings.filter((finding) => !finding.hidden).length;
    document.querySelector(".nothing").hidden = shown > 0;
    form.querySelector("output").textContent = `${shown} of ${findings.length} shown`;
  };
  if (form) {
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    filter();
  }

  // A link leads to its target even if that is filtered out or folded away.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const finding = target.closest(".finding");
    if (finding && finding.hidden) { form.reset(); filter(); }
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView({ block: target.classList.contains("l") ? "center" : "start" });
  };
  window.addEventListener("hashchange", reveal);
  if (location.hash) reveal();
})();
