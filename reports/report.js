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

  // Charts: a cursor that reads the table behind the chart, and zoom along the x axis.
  const svg = (name, attributes, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  const ticks = (low, high) => {
    const rough = (high - low) / 8;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * (1 - 1e-9));
    const found = [];
    for (let number = Math.ceil(low / step - 1e-9); number * step <= high + 1e-9 * step; number++) {
      found.push(Number((number * step).toPrecision(6)));
    }
    return found;
  };
  const enliven = (chart) => {
    const frame = chart.querySelector(".frame");
    const drawing = chart.querySelector(".drawing");
    const plot = chart.querySelector(".plot");
    const cursor = chart.querySelector(".cursor");
    const across = chart.querySelector(".across");
    const tools = chart.querySelector(".tools");
    const names = all("thead th", chart).slice(1).map((cell) => cell.textContent.trim());
    const rows = all("tbody tr", chart).map((row) => {
      const [x, ...values] = [...row.cells].map((cell) => cell.textContent.trim());
      return { x: Number(x), shown: x, values };
    });
    const [from, to] = [Number(chart.dataset.from), Number(chart.dataset.to)];
    const [left, width] = [Number(chart.dataset.left), Number(chart.dataset.width)];
    const below = across.querySelector("path").getAttribute("d").split(" ")[1].split("v")[0];
    const label = across.querySelector("text").getAttribute("y");
    let [low, high] = [from, to];
    let at = -1;

    const unit = (x) => ((x - from) / (to - from)) * 1000;
    const show = (start, end) => {
      const span = Math.min(Math.max(end - start, (to - from) / 200), to - from);
      low = Math.min(Math.max(start, from), to - span);
      high = low + span;
      plot.setAttribute("viewBox", `${unit(low)} 0 ${unit(high) - unit(low)} 1000`);
      across.replaceChildren(...ticks(low, high).flatMap((value) => {
        const x = (left + ((value - low) / (high - low)) * width).toFixed(1);
        return [svg("path", { d: `M${x} ${below}v5`, stroke: "currentColor" }),
          svg("text", { x, y: label, "text-anchor": "middle" }, String(value))];
      }));
    };
    const point = (index) => {
      at = Math.min(Math.max(index, 0), rows.length - 1);
      const { x, shown, values } = rows[at];
      if (x < low || x > high) show(x - (high - low) / 2, x + (high - low) / 2);
      cursor.setAttribute("d", `M${unit(x)} 0V1000`);
      const read = values.map((value, n) => (value ? `${names[n]} ${value}` : "")).filter(Boolean);
      tools.querySelector("output").textContent = `${chart.dataset.unit} ${shown}: ${read.join(", ")}`;
    };
    const zoom = (factor) => {
      const middle = at >= 0 ? rows[at].x : (low + high) / 2;
      show(middle - (middle - low) * factor, middle + (high - middle) * factor);
    };
    const reset = () => show(from, to);
    const value = (event) => {
      const box = drawing.getBoundingClientRect(); // that of `plot` would hold what is cut off, too
      const x = ((event.clientX - box.left) / box.width) * drawing.viewBox.baseVal.width;
      return low + Math.min(Math.max((x - left) / width, 0), 1) * (high - low);
    };
    const nearest = (x) => rows.reduce((best, row, n) => (Math.abs(row.x - x) < Math.abs(rows[best].x - x) ? n : best), 0);

    let start = null;
    frame.addEventListener("pointermove", (event) => point(nearest(value(event))));
    frame.addEventListener("pointerdown", (event) => { start = value(event); });
    frame.addEventListener("pointerup", (event) => {
      const end = value(event);
      if (start !== null && Math.abs(end - start) > (high - low) / 50) show(Math.min(start, end), Math.max(start, end));
      start = null;
    });
    frame.addEventListener("dblclick", reset);
    const keys = {
      ArrowLeft: (far) => point(at - (far ? 10 : 1)), ArrowRight: (far) => point(at + (far ? 10 : 1)),
      Home: () => point(0), End: () => point(rows.length - 1),
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: reset, Escape: reset,
    };
    frame.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key](event.shiftKey);
    });
    frame.tabIndex = 0;
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", `${chart.querySelector("figcaption b").textContent}: arrow keys read values, plus and minus zoom, 0 shows all`);
    for (const button of all("[data-zoom]", chart)) {
      button.addEventListener("click", { in: () => zoom(0.5), out: () => zoom(2), all: reset }[button.dataset.zoom]);
    }
    tools.hidden = false;
  };
  all(".chart").forEach(enliven);

  // A link leads to its target even if that is filtered out or folded away.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    const finding = target.closest(".finding");
    if (finding && finding.hidden) { form.reset(); filter(); }
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView({ block: target.classList.contains("l") ? "center" : "start" });
  };
  window.addEventListener("hashchange", reveal);
  if (location.hash) reveal();
})();
