/* The interactive parts of every page. Data stand in one JSON block; whatever comes from them is only ever set as text. */
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const LONGEST = 28;      // characters of a name in a drawing
  const TITLE = 300;       // and in a tooltip
  const SUGGESTED = 8;     // genes that a search lists
  const REGULATORS = 6;    // courses beside a gene's own
  const svgSpace = new DOMParser().parseFromString("<svg/>", "text/html").body.firstChild.namespaceURI;

  // --- small tools ------------------------------------------------------------------------------------------

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined).map((child) => child.nodeType ? child : String(child)));
    return node;
  }
  const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const s = (tag, attributes, ...children) => fill(document.createElementNS(svgSpace, tag), attributes, children);
  const short = (text, longest = LONGEST) => (text.length > longest ? text.slice(0, longest - 1) + "…" : text);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const least = (values) => values.reduce((a, b) => (isNumber(b) && b < a ? b : a), Infinity);
  const most = (values) => values.reduce((a, b) => (isNumber(b) && b > a ? b : a), -Infinity);

  function shown(value) {
    if (!isNumber(value)) return "–";
    if (Number.isInteger(value)) return value.toLocaleString("en");
    const size = Math.abs(value);
    return size >= 1000 ? Math.round(value).toLocaleString("en") : size < 0.0001 ? value.toExponential(1) : value.toPrecision(3);
  }

  // A column's numbers have their points below each other; what that would round to nothing is shown by itself.
  function decimalsOf(values) {
    const sizes = values.filter(isNumber).map(Math.abs), top = most(sizes);
    return sizes.every(Number.isInteger) ? 0 : Math.min(8, Math.max(0, 4 - Math.max(0, Math.floor(Math.log10(top)) + 1) + Math.max(0, -Math.floor(Math.log10(top)) - 1)));
  }
  function aligned(value, decimals) {
    if (!isNumber(value) || !decimals || Math.abs(value) >= 1000) return shown(value);
    return value !== 0 && Math.abs(value) < 0.5 * 10 ** -decimals ? value.toExponential(1) : value.toFixed(decimals);
  }

  function ticks(low, high, count = 5) {
    if (!(high > low)) return [low];
    const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw);
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step / 1e6 ? 0 : at);
    return found;
  }
  const tickText = (value) => String(Number(value.toPrecision(6)));

  const tip = h("div", { class: "tip", hidden: true });
  document.body.append(tip);
  function showTip(event, text) {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - box.width - 8)) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 8)) + "px";
  }
  const hideTip = () => { tip.hidden = true; };
  function tipped(node, text) {
    node.addEventListener("pointermove", (event) => showTip(event, text));
    node.addEventListener("pointerleave", hideTip);
    return node;
  }

  // Drawings follow their width and the colours of the system.
  function redraw(host, draw) {
    let width = 0;
    const again = () => { if (host.clientWidth) draw(Math.max(240, host.clientWidth)); };
    new ResizeObserver(() => { if (host.clientWidth !== width) { width = host.clientWidth; again(); } }).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    return again;
  }

  const followers = [];
  const pickGene = (gene, from) => followers.forEach((follow) => follow(gene, from));

  function geneSearch(label, names, onPick) {
    const list = h("ul", { role: "listbox", hidden: true, id: "list-" + Math.random().toString(36).slice(2) });
    const input = h("input", { type: "search", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" });
    const lower = names.map((name) => name.toLowerCase());
    let found = [], at = -1;
    const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); at = -1; };
    const choose = (name) => { input.value = name.slice(0, TITLE); close(); onPick(name); };
    function mark(place) {
      at = place;
      [...list.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
      if (at >= 0) input.setAttribute("aria-activedescendant", list.children[at].id);
      else input.removeAttribute("aria-activedescendant");
    }
    function suggest() {
      const asked = input.value.trim().toLowerCase();
      const begins = [], contains = [];
      for (let number = 0; number < names.length && begins.length < SUGGESTED; number++) {
        const place = lower[number].indexOf(asked);
        if (place === 0) begins.push(names[number]);
        else if (place > 0 && contains.length < SUGGESTED) contains.push(names[number]);
      }
      found = [...begins, ...contains].slice(0, SUGGESTED);
      list.replaceChildren(...found.map((name, number) => h("li", { role: "option", id: list.id + number, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); choose(name); } }, short(name, 60))));
      if (!found.length) list.append(h("li", { role: "option", "aria-disabled": "true" }, "no gene of that name"));
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
      at = -1;
    }
    input.addEventListener("input", () => { if (input.value.trim()) suggest(); else { close(); onPick(null); } });
    input.addEventListener("focus", () => input.select());
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) suggest();
        if (found.length) mark((at + (event.key === "ArrowDown" ? 1 : found.length - 1 + (at < 0))) % found.length);
      } else if (event.key === "Enter" && !list.hidden && found.length) choose(found[Math.max(at, 0)]);
      else if (event.key === "Escape") close();
    });
    return { node: h("div", { class: "combo" }, h("label", {}, label, input), list), set: (name) => { input.value = name === null ? "" : name.slice(0, TITLE); } };
  }

  function chooser(label, options, onChange) {
    const select = h("select", { onchange: () => onChange(select.value) }, options.map(([value, text]) => h("option", { value }, short(String(text), 60))));
    return { node: h("label", {}, label, select), select };
  }

  // --- tables -----------------------------------------------------------------------------------------------

  const tables = data.tables || {};
  const valueAt = (column, row) => (column.words ? column.words[column.at[row]] : column.values[row]);
  const columnOf = (table, id) => table.columns.find((column) => column.id === id);
  const lengthOf = (table) => (table.columns.length ? (table.columns[0].at || table.columns[0].values).length : 0);

  function cellText(column, value) {
    if (column.kind === "flag") return value ? "yes" : "no";
    if (column.words) return value;
    if (column.decimals === undefined) column.decimals = decimalsOf(column.values);
    return aligned(value, column.decimals);
  }

  // A spreadsheet would run text that begins like a formula.
  function csvCell(column, value) {
    let text = column.kind === "flag" ? (value ? "yes" : "no") : column.words ? value : isNumber(value) ? String(value) : "";
    if (column.words && /^[\s]*[=+\-@\t\r|%]/.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  function tableView(host, key) {
    const table = tables[key], total = lengthOf(table), columns = table.columns;
    const height = 32, spare = 8;
    let order = [], sorted = table.sort || null, words = "";
    const limits = {};
    const lower = columns.map((column) => (column.words ? column.words.map((word) => word.toLowerCase()) : null));
    const status = h("p", { class: "status", role: "status" });
    const body = h("tbody");
    const heads = columns.map((column, place) => h("th", { scope: "col", class: column.words ? "text" : null, title: column.hint || null },
      h("button", { type: "button", onclick: () => sortBy(place) }, column.label, h("span", { "aria-hidden": "true" }))));
    const scroller = h("div", { class: "scroll rows", tabindex: "0", role: "region", "aria-label": table.label, onscroll: () => paint() },
      h("table", { "aria-rowcount": String(total + 1) }, h("thead", {}, h("tr", {}, heads)), body));

    function select() {
      const asked = words.trim().toLowerCase();
      const hits = lower.map((list) => (list && asked ? list.map((word) => word.includes(asked)) : null));
      order = [];
      for (let row = 0; row < total; row++) {
        if (asked && !columns.some((column, place) => hits[place] && hits[place][column.at[row]])) continue;
        if (columns.some((column) => column.id in limits && !limits[column.id](valueAt(column, row)))) continue;
        order.push(row);
      }
      if (sorted) {
        const column = columnOf(table, sorted.id), sign = sorted.down ? -1 : 1;
        const values = order.map((row) => valueAt(column, row));
        const places = order.map((_, place) => place);
        places.sort((a, b) => {
          const one = values[a], other = values[b];
          if (column.words) return sign * (one < other ? -1 : one > other ? 1 : 0) || a - b;
          if (!isNumber(one) || !isNumber(other)) return isNumber(other) - isNumber(one) || a - b;
          return sign * (one - other) || a - b;
        });
        order = places.map((place) => order[place]);
      }
      heads.forEach((head, place) => {
        const mine = sorted && sorted.id === columns[place].id;
        if (mine) head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending"); else head.removeAttribute("aria-sort");
        head.querySelector("span").textContent = mine ? (sorted.down ? " ▼" : " ▲") : "";
      });
      status.textContent = order.length === total ? `${total.toLocaleString("en")} rows` : `${order.length.toLocaleString("en")} of ${total.toLocaleString("en")} rows`;
      scroller.scrollTop = 0;
      paint(true);
    }
    function sortBy(place) {
      const column = columns[place];
      const same = sorted && sorted.id === column.id;
      sorted = { id: column.id, down: same ? !sorted.down : !column.words };
      select();
    }
    // Only the rows in sight exist.
    let from = -1, to = -1;
    function paint(anew = false) {
      const first = Math.max(0, Math.floor(scroller.scrollTop / height) - spare);
      const last = Math.min(order.length, first + Math.ceil((scroller.clientHeight || 420) / height) + 2 * spare);
      if (!anew && first === from && last === to) return;
      [from, to] = [first, last];
      const gap = (rows) => h("tr", { class: "gap", "aria-hidden": "true", style: `height:${rows * height}px` }, h("td", { colspan: columns.length }));
      const lines = order.slice(first, last).map((row, number) => h("tr", { "aria-rowindex": String(first + number + 2) }, columns.map((column) => {
        const value = valueAt(column, row), text = cellText(column, value);
        const inside = column.kind === "gene" ? h("button", { type: "button", class: "gene", onclick: () => pickGene(value, "table") }, short(text, TITLE)) : short(text, TITLE);
        return h("td", { class: column.words ? "text" : null, title: column.words && text.length > 20 ? short(text, TITLE) : null }, inside);
      })));
      body.replaceChildren(...(first ? [gap(first)] : []), ...lines, ...(last < order.length ? [gap(order.length - last)] : []));
    }
    const csv = () => [columns.map((column) => csvCell({ words: [] }, column.label)).join(","), ...order.map((row) => columns.map((column) => csvCell(column, valueAt(column, row))).join(","))].join("\r\n") + "\r\n";
    function download() {
      const address = URL.createObjectURL(new Blob(["\ufeff", csv()], { type: "text/csv" }));
      const link = h("a", { href: address, download: (table.file || key) + ".csv" });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    }
    async function copy() {
      const text = csv();
      try { await navigator.clipboard.writeText(text); } catch {
        const area = h("textarea", { "aria-hidden": "true", style: "position:fixed;left:-99rem" });
        area.value = text;
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      status.textContent = `${order.length.toLocaleString("en")} rows copied`;
    }
    let waiting = 0;
    const search = h("input", { type: "search", spellcheck: "false", oninput: (event) => { words = event.target.value; clearTimeout(waiting); waiting = setTimeout(select, 120); } });
    const filters = (table.filters || []).map((id) => {
      const column = columnOf(table, id);
      const limit = (test) => { if (test) limits[id] = test; else delete limits[id]; select(); };
      if (column.kind === "flag") return chooser(column.label, [["", "all"], ["1", "yes"], ["0", "no"]], (value) => limit(value && ((own) => own === Number(value)))).node;
      return h("label", {}, column.label + " at least", h("input", { type: "number", step: "any", oninput: (event) => { const bound = event.target.valueAsNumber; limit(isNumber(bound) && ((own) => isNumber(own) && own >= bound)); } }));
    });
    host.replaceChildren(
      h("div", { class: "bar" }, h("label", {}, "Search", search), filters, h("button", { type: "button", onclick: copy }, "Copy"), h("button", { type: "button", onclick: download }, "Download CSV")),
      status, scroller);
    select();
  }

  // --- bars with intervals ----------------------------------------------------------------------------------

  function barsView(host, key) {
    const bars = data.bars[key], place = h("div");
    let set = bars.sets[0];
    const words = h("p", { class: "hint" });
    const draw = redraw(place, (width) => {
      const rows = set.rows, left = Math.min(190, width * 0.4), right = 64, line = 22, high = rows.length * line + 34;
      const ends = rows.flatMap((row) => [row[1], row[2], row[3]]).filter(isNumber);
      const low = bars.range ? bars.range[0] : Math.min(0, least(ends)), top = bars.range ? bars.range[1] : Math.max(0, most(ends));
      const span = top - low || 1, x = (value) => left + ((value - low) / span) * (width - left - right);
      const plot = s("svg", { class: "plot", viewBox: `0 0 ${width} ${high}`, role: "img", "aria-label": `${bars.label}: ${rows.slice(0, 10).map((row) => short(row[0], 40) + " " + shown(row[1])).join(", ")}` });
      for (const at of ticks(low, top, width < 500 ? 3 : 6)) plot.append(s("line", { class: at === 0 ? "zero" : "axis", x1: x(at), x2: x(at), y1: 0, y2: rows.length * line }), s("text", { x: x(at), y: high - 18, "text-anchor": "middle" }, tickText(at)));
      plot.append(s("text", { x: (left + width - right) / 2, y: high - 3, "text-anchor": "middle" }, bars.axis || set.name));
      rows.forEach(([name, value, from, to, group], number) => {
        const middle = number * line + line / 2, tone = colour("c" + ((bars.groups ? group : 0) % 8));
        const bar = s("g", {}, s("rect", { x: Math.min(x(0), x(value)), width: Math.max(1, Math.abs(x(value) - x(0))), y: middle - 7, height: 14, rx: 2, fill: tone }));
        if (isNumber(from) && isNumber(to)) bar.append(s("line", { x1: x(from), x2: x(to), y1: middle, y2: middle, stroke: colour("text"), "stroke-width": 1.5 }));
        bar.append(s("rect", { x: 0, width, y: number * line, height: line, fill: "transparent" }));
        tipped(bar, `${short(name, TITLE)}\n${bars.axis || set.name}: ${shown(value)}${isNumber(from) ? ` (${shown(from)} to ${shown(to)})` : ""}${bars.groups ? "\n" + bars.groups[group] : ""}`);
        plot.append(bar, s("text", { class: "name", x: left - 6, y: middle + 4, "text-anchor": "end" }, short(name, Math.floor(left / 7.2))));
        plot.append(s("text", { x: Math.max(x(value), x(isNumber(to) ? to : value), x(0)) + 5, y: middle + 4 }, shown(value)));
      });
      place.replaceChildren(plot);
    });
    const show = (name) => { set = bars.sets.find((one) => one.name === name); words.textContent = set.words || ""; if (place.clientWidth) draw(); };
    const parts = [];
    if (bars.sets.length > 1) parts.push(h("div", { class: "bar" }, chooser(bars.choose, bars.sets.map((one) => [one.name, one.name]), show).node));
    if (bars.groups) parts.push(h("ul", { class: "legend" }, bars.groups.map((name, number) => h("li", {}, s("svg", { width: 14, height: 12, "aria-hidden": "true" }, s("rect", { width: 14, height: 12, rx: 2, fill: `var(--c${number % 8})` })), name))));
    host.replaceChildren(...parts, words, place);
    show(set.name);
  }

  // --- points with hover ------------------------------------------------------------------------------------

  const SHAPES = [
    (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
    (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
    (x, y, r) => `M${x} ${y - r * 1.2}l${r * 1.2} ${r * 2.1}h${-2.4 * r}z`,
    (x, y, r) => `M${x} ${y - r * 1.3}l${r * 1.3} ${r * 1.3}l${-r * 1.3} ${r * 1.3}l${-r * 1.3} ${-r * 1.3}z`,
    (x, y, r) => `M${x} ${y + r * 1.2}l${r * 1.2} ${-r * 2.1}h${-2.4 * r}z`,
    (x, y, r) => `M${x - r / 3} ${y - r * 1.2}h${r / 1.5}v${r * 0.87}h${r * 0.87}v${r / 1.5}h${-r * 0.87}v${r * 0.87}h${-r / 1.5}v${-r * 0.87}h${-r * 0.87}v${-r / 1.5}h${r * 0.87}z`,
  ];

  function scatterView(host, key) {
    const points = data.scatter[key], place = h("div"), hiddenGroups = new Set();
    let measure = points.y[0];
    const draw = redraw(place, (width) => {
      const left = 56, right = 14, bottom = 42, high = Math.min(420, Math.max(260, width * 0.55));
      const values = points.values[measure.id];
      const there = values.map((_, n) => n).filter((n) => isNumber(values[n]) && isNumber(points.x.values[n]) && !hiddenGroups.has(points.group[n]));
      const lines = (measure.lines || []).filter((line) => isNumber(line.value));
      const ys = there.map((n) => values[n]).concat(lines.map((line) => line.value)), xs = there.map((n) => points.x.values[n]);
      let [low, top] = [least(ys), most(ys)], [from, to] = [least(xs), most(xs)];
      if (!isFinite(low)) [low, top] = [0, 1];
      if (!isFinite(from)) [from, to] = [0, 1];
      const padY = (top - low || 1) * 0.07, padX = (to - from || 1) * 0.05;
      [low, top, from, to] = [low - padY, top + padY, from - padX, to + padX];
      const x = (value) => left + ((value - from) / (to - from)) * (width - left - right), y = (value) => high - bottom - ((value - low) / (top - low)) * (high - bottom - 10);
      const plot = s("svg", { class: "plot", viewBox: `0 0 ${width} ${high}`, role: "img", "aria-label": `${measure.label} against ${points.x.label}, ${there.length} points; the table lists them` });
      for (const at of ticks(low, top)) plot.append(s("line", { class: "axis", x1: left, x2: width - right, y1: y(at), y2: y(at) }), s("text", { x: left - 6, y: y(at) + 4, "text-anchor": "end" }, tickText(at)));
      for (const at of ticks(from, to, width < 500 ? 5 : 8)) plot.append(s("text", { x: x(at), y: high - 24, "text-anchor": "middle" }, tickText(at)));
      plot.append(s("text", { x: (left + width - right) / 2, y: high - 6, "text-anchor": "middle" }, points.x.label), s("text", { transform: `translate(12 ${(high - bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, measure.label));
      for (const line of lines) plot.append(s("line", { x1: left, x2: width - right, y1: y(line.value), y2: y(line.value), stroke: colour("c1"), "stroke-width": 1.5, "stroke-dasharray": "6 4" }), s("text", { class: "name", x: left + 4, y: y(line.value) - 5 }, `${line.label} ${shown(line.value)}`));
      for (const n of there) plot.append(s("path", { d: SHAPES[points.group[n] % SHAPES.length](x(points.x.values[n]), y(values[n]), 5), fill: colour("c" + (points.group[n] % 8)), "fill-opacity": 0.7, stroke: colour("page"), "stroke-width": 0.7 }));
      const ring = s("circle", { r: 9, fill: "none", stroke: colour("text"), "stroke-width": 1.5, visibility: "hidden" });
      plot.append(ring);
      plot.addEventListener("pointermove", (event) => {
        const box = plot.getBoundingClientRect(), scale = width / box.width;
        const [px, py] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
        let best = -1, distance = 24;
        for (const n of there) { const away = Math.hypot(x(points.x.values[n]) - px, y(values[n]) - py); if (away < distance) [best, distance] = [n, away]; }
        if (best < 0) { hideTip(); ring.setAttribute("visibility", "hidden"); return; }
        ring.setAttribute("cx", x(points.x.values[best]));
        ring.setAttribute("cy", y(values[best]));
        ring.setAttribute("visibility", "visible");
        showTip(event, `${short(points.names[best], TITLE)}\n${points.x.label}: ${shown(points.x.values[best])}\n${measure.label}: ${shown(values[best])}`);
      });
      plot.addEventListener("pointerleave", () => { hideTip(); ring.setAttribute("visibility", "hidden"); });
      place.replaceChildren(plot);
    });
    const legend = h("ul", { class: "legend" }, points.groups.length < 2 ? [] : points.groups.map((name, number) => {
      const button = h("button", { type: "button", "aria-pressed": "true", onclick: () => {
        if (!hiddenGroups.delete(number)) hiddenGroups.add(number);
        button.setAttribute("aria-pressed", String(!hiddenGroups.has(number)));
        draw();
      } }, s("svg", { width: 14, height: 14, "aria-hidden": "true" }, s("path", { d: SHAPES[number % SHAPES.length](7, 7, 5), fill: `var(--c${number % 8})` })), short(name, 40));
      return h("li", {}, button);
    }));
    const parts = points.y.length > 1 ? [h("div", { class: "bar" }, chooser("Show", points.y.map((one) => [one.id, one.label]), (id) => { measure = points.y.find((one) => one.id === id); draw(); }).node)] : [];
    host.replaceChildren(...parts, legend, place);
  }

  // --- courses ----------------------------------------------------------------------------------------------

  function coursesView(host, key) {
    const courses = data.courses[key], place = new Map(courses.genes.map((name, number) => [name, number]));
    const edges = courses.edges ? tables[courses.edges] : null;
    const status = h("p", { class: "status", role: "status" }), panels = h("div", { class: "panels" });
    const named = (name) => (/^\d+$/.test(name) ? "trajectory " : "") + short(name, 60);
    let gene = courses.genes[0], trajectory = 0;

    function regulatorsOf(name) {
      if (!edges) return courses.genes.filter((other) => other !== name).slice(0, REGULATORS).map((other) => [other, ""]);
      const target = columnOf(edges, "target"), source = columnOf(edges, "source"), strength = columnOf(edges, data.network.strength), sign = columnOf(edges, data.network.sign), own = target.words.indexOf(name);
      const found = [];
      for (let row = 0; row < target.at.length; row++) if (target.at[row] === own && source.words[source.at[row]] !== name) found.push(row);
      found.sort((a, b) => Math.abs(strength.values[b]) - Math.abs(strength.values[a]));
      return found.slice(0, REGULATORS).map((row) => [source.words[source.at[row]], `${(sign.values[row] || 0) < 0 ? "represses" : "activates"} it, ${strength.label} ${shown(Math.abs(strength.values[row]))}`]);
    }
    function panel(name, width, high) {
      const number = place.get(name), run = courses.trajectories[trajectory], left = 46, bottom = 34;
      const layers = run.layers.map((layer) => ({ ...layer, y: layer.values[number], from: layer.low && layer.low[number], to: layer.high && layer.high[number] }));
      const all = layers.flatMap((layer) => [...layer.y, ...(layer.from || []), ...(layer.to || [])]).filter(isNumber);
      let [low, top] = all.length ? [least(all), most(all)] : [0, 1];
      const pad = (top - low || Math.abs(top) || 1) * 0.08;
      [low, top] = [low - pad, top + pad];
      const times = run.layers.flatMap((layer) => layer.times), begin = least(times), end = most(times);
      const x = (time) => left + ((time - begin) / (end - begin || 1)) * (width - left - 12), y = (value) => high - bottom - ((value - low) / (top - low)) * (high - bottom - 8);
      const plot = s("svg", { class: "plot", viewBox: `0 0 ${width} ${high}`, role: "img", "aria-label": `course of ${short(name, 60)}, ${named(run.name)}` });
      for (const at of ticks(low, top, high > 200 ? 6 : 3)) plot.append(s("line", { class: "axis", x1: left, x2: width - 12, y1: y(at), y2: y(at) }), s("text", { x: left - 5, y: y(at) + 4, "text-anchor": "end" }, tickText(at)));
      for (const at of ticks(begin, end, width < 400 ? 4 : 8)) plot.append(s("text", { x: x(at), y: high - 18, "text-anchor": "middle" }, tickText(at)));
      plot.append(s("text", { x: (left + width) / 2, y: high - 3, "text-anchor": "middle" }, courses.time));
      layers.forEach((layer) => {
        const tone = colour(layer.colour), seen = layer.y.map((_, at) => at).filter((at) => isNumber(layer.y[at]));
        if (layer.from) {
          const edge = (values) => seen.map((at) => `${x(layer.times[at])} ${y(values[at])}`);
          plot.append(s("path", { d: `M${[...edge(layer.from), ...edge(layer.to).reverse()].join("L")}z`, fill: tone, "fill-opacity": 0.22 }));
        }
        if (layer.style === "joined") plot.append(s("path", { d: "M" + seen.map((at) => `${x(layer.times[at])} ${y(layer.y[at])}`).join("L"), fill: "none", stroke: tone, "stroke-opacity": 0.5 }));
        if (layer.style === "dots" || layer.style === "joined") for (const at of seen) plot.append(tipped(s("circle", { cx: x(layer.times[at]), cy: y(layer.y[at]), r: 4, fill: tone, stroke: colour("page") }), `${short(name, 60)}, ${layer.label}\n${courses.time} ${shown(layer.times[at])}: ${shown(layer.y[at])}`));
        else if (seen.length) plot.append(s("path", { d: "M" + seen.map((at) => `${x(layer.times[at])} ${y(layer.y[at])}`).join("L"), fill: "none", stroke: tone, "stroke-width": 2, "stroke-dasharray": layer.style === "dashed" ? "5 4" : null }));
      });
      return plot;
    }
    const draw = redraw(panels, (width) => {
      const columns = Math.max(1, Math.floor((width + 14) / 286)), narrow = (width - 14 * (columns - 1)) / columns;
      const wide = columns > 1 ? 2 * narrow + 14 : width;
      const beside = regulatorsOf(gene);
      const box = (name, note, w, high) => {
        const known = place.has(name);
        return h("div", {}, h("h4", { title: short(name, TITLE) }, short(name, 60)), note ? h("p", { class: "hint" }, note) : null, known ? panel(name, w, high) : h("p", { class: "hint" }, "its course is not kept in this page"));
      };
      panels.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
      panels.replaceChildren(box(gene, "", wide, columns > 1 ? 380 : Math.min(300, wide * 0.7)), ...beside.map(([name, note]) => box(name, note, narrow, 170)));
      panels.firstChild.style.gridArea = columns > 1 ? "span 2 / span 2" : "auto";
      status.textContent = `${short(gene, 60)}, ${named(courses.trajectories[trajectory].name)}` + (edges ? (beside.length > 1 ? `, and its ${beside.length} likeliest regulators` : beside.length ? ", and its regulator" : "; no regulator of it is listed") : courses.beside);
    });
    const show = (name) => { if (!name) return; if (place.has(name)) { gene = name; search.set(name); draw(); } else status.textContent = `the course of ${short(name, 60)} is not kept in this page`; };
    const search = geneSearch("Gene", courses.genes, show);
    followers.push((name, from) => { if (from !== key && name) show(name); });
    search.set(gene);
    const turn = (by) => { trajectory = (trajectory + by + courses.trajectories.length) % courses.trajectories.length; if (pick) pick.select.value = String(trajectory); draw(); };
    const pick = courses.trajectories.length > 1 ? chooser("Trajectory", courses.trajectories.map((run, number) => [String(number), run.name]), (value) => { trajectory = Number(value); draw(); }) : null;
    const legend = h("ul", { class: "legend" }, courses.trajectories[0].layers.map((layer) => h("li", {}, s("svg", { width: 22, height: 12, "aria-hidden": "true" }, layer.low ? s("rect", { width: 22, height: 12, fill: `var(--${layer.colour})`, "fill-opacity": 0.22 }) : null, layer.style === "dots" || layer.style === "joined" ? s("circle", { cx: 11, cy: 6, r: 4, fill: `var(--${layer.colour})` }) : s("line", { x1: 0, x2: 22, y1: 6, y2: 6, stroke: `var(--${layer.colour})`, "stroke-width": 2, "stroke-dasharray": layer.style === "dashed" ? "5 4" : null })), layer.label + (layer.low ? ` (${courses.band})` : ""))));
    host.replaceChildren(h("div", { class: "bar" }, search.node, pick ? [pick.node, h("button", { type: "button", "aria-label": "previous trajectory", onclick: () => turn(-1) }, "‹"), h("button", { type: "button", "aria-label": "next trajectory", onclick: () => turn(1) }, "›")] : []), legend, status, panels);
  }

  // --- the network ------------------------------------------------------------------------------------------

  function networkView(host) {
    const table = tables.edges, net = data.network;
    const column = (id) => columnOf(table, id);
    const source = column("source"), target = column("target"), strength = column(net.strength), sign = column(net.sign), prior = column("in_prior"), total = source.at.length;
    const back = new Map(source.words.map((name, number) => [name, number])), names = [...source.words];
    const ofTarget = target.words.map((name) => { if (!back.has(name)) { back.set(name, names.length); names.push(name); } return back.get(name); });
    const from = (row) => source.at[row], to = (row) => ofTarget[target.at[row]], size = (row) => Math.abs(strength.values[row]), negative = (row) => (sign.values[row] || 0) < 0;
    const strongest = [...Array(total).keys()].filter((row) => from(row) !== to(row)).sort((a, b) => size(b) - size(a));
    const asked = { gene: null, least: 0, sign: "", origin: "", count: host.clientWidth < 600 ? 30 : 60, colour: "sign" };
    const place = h("div", { class: "net", role: "img" }), status = h("p", { class: "status", role: "status" }), told = h("p", { class: "status", role: "status" });
    let cy = null;

    function wanted() {
      const passes = (row) => size(row) >= asked.least && (!asked.sign || negative(row) === (asked.sign === "-")) && (!asked.origin || (prior.values[row] === 1) === (asked.origin === "prior"));
      const fitting = strongest.filter(passes);
      if (asked.gene === null) return [fitting.slice(0, asked.count), fitting.length];
      const own = back.get(asked.gene), touching = fitting.filter((row) => from(row) === own || to(row) === own), kept = touching.slice(0, asked.count);
      const near = new Set(kept.flatMap((row) => [from(row), to(row)])), taken = new Set(kept);
      const among = fitting.filter((row) => !taken.has(row) && near.has(from(row)) && near.has(to(row)));
      return [[...kept, ...among.slice(0, Math.max(0, asked.count - kept.length))], touching.length];
    }
    const toneOf = (row) => asked.colour === "sign" ? colour(negative(row) ? "up" : "down") : asked.colour === "origin" ? colour(prior.values[row] ? "other" : "c2") : colour(size(row) > 0.9 ? "c0" : size(row) > 0.5 ? "c4" : "c7");
    function style() {
      return [
        { selector: "node", style: { "background-color": colour("strong"), label: "data(short)", color: colour("text"), "font-size": 11, "text-outline-color": colour("page"), "text-outline-width": 2, width: "data(size)", height: "data(size)", "text-valign": "top", "text-margin-y": -2 } },
        { selector: "node[?regulates]", style: { "background-color": colour("text") } },
        { selector: "node[?chosen]", style: { "background-color": colour("link"), "border-width": 3, "border-color": colour("text") } },
        { selector: "edge", style: { width: "data(width)", "curve-style": "bezier", "line-color": "data(tone)", "target-arrow-color": "data(tone)", "target-arrow-shape": "triangle", "arrow-scale": 0.9, opacity: 0.85 } },
        { selector: "edge[?negative]", style: { "target-arrow-shape": "tee" } },
        { selector: "edge[!known]", style: { "line-style": "dashed" } },
        { selector: "edge:selected", style: { opacity: 1, "line-color": colour("text"), "target-arrow-color": colour("text") } },
      ];
    }
    function draw() {
      const [rows, fitting] = wanted(), degree = new Map(), regulates = new Set(rows.map(from));
      for (const row of rows) for (const end of [from(row), to(row)]) degree.set(end, (degree.get(end) || 0) + 1);
      if (asked.gene !== null && !degree.size) degree.set(back.get(asked.gene), 0);
      const nodes = [...degree].map(([number, count]) => ({ data: { id: "n" + number, number, short: short(names[number], 18), size: 10 + 3 * Math.sqrt(count), regulates: regulates.has(number), chosen: names[number] === asked.gene } }));
      const lines = rows.map((row) => ({ data: { id: "e" + row, row, source: "n" + from(row), target: "n" + to(row), width: 1 + 2.5 * Math.min(1, size(row)), tone: toneOf(row), negative: negative(row), known: prior.values[row] === 1 } }));
      if (cy) cy.destroy();
      const layout = rows.length > 400 ? { name: "concentric", concentric: (node) => node.degree(), minNodeSpacing: 4 } : { name: "cose", animate: false, randomize: true, nodeRepulsion: 9000, idealEdgeLength: 45, numIter: rows.length > 150 ? 300 : 800, componentSpacing: 30 };
      cy = cytoscape({ container: place, elements: [...nodes, ...lines], style: style(), userZoomingEnabled: false, userPanningEnabled: matchMedia("(pointer: fine)").matches, boxSelectionEnabled: false, minZoom: 0.05, maxZoom: 4, layout });
      fitted();
      cy.on("tap", "node", (event) => { choose(names[event.target.data("number")]); });
      cy.on("tap", "edge", (event) => { told.textContent = tell(event.target.data("row")); });
      cy.on("mouseover", "edge", (event) => showTip(event.originalEvent, tell(event.target.data("row"))));
      cy.on("mouseover", "node", (event) => showTip(event.originalEvent, short(names[event.target.data("number")], TITLE)));
      cy.on("mouseout", hideTip);
      host.cy = cy;
      const what = asked.gene === null ? "edges" : `edges of ${short(asked.gene, 40)}`;
      status.textContent = fitting ? `${nodes.length.toLocaleString("en")} genes and ${rows.length.toLocaleString("en")} edges drawn; ${fitting.toLocaleString("en")} ${what} pass the filters, the likeliest are drawn first` : `no ${what} pass the filters`;
      place.setAttribute("aria-label", `drawing of the network: ${status.textContent}; the table of edges lists them`);
      told.textContent = "";
    }
    // The drawing takes the shape of its place, and what is written in it the size of other text.
    function fitted() {
      cy.resize();
      const box = cy.elements().boundingBox({ includeLabels: false });
      const stretch = Math.min(2.2, Math.max(0.6, (place.clientWidth / place.clientHeight) / (box.w / box.h || 1)));
      if (isFinite(stretch)) cy.nodes().positions((node) => ({ x: node.position("x") * stretch, y: node.position("y") }));
      cy.fit(undefined, 22);
      if (cy.zoom() > 1.6) { cy.zoom(1.6); cy.center(); }
      const size = 1 / cy.zoom();
      cy.nodes().forEach((node) => { const across = node.data("size") * size; node.style({ "font-size": 11 * size, width: across, height: across, "text-outline-width": 2 * size }); });
      cy.edges().forEach((edge) => { edge.style({ width: edge.data("width") * size }); });
    }
    const tell = (row) => `${short(names[from(row)], 60)} ${negative(row) ? "represses" : "activates"} ${short(names[to(row)], 60)}; ${strength.label} ${shown(size(row))}, ${prior.values[row] ? "in the prior" : "new"}`;
    const search = geneSearch("Gene and its neighbours", names, (name) => { asked.gene = name; draw(); if (name) pickGene(name, "network"); });
    function choose(name) { asked.gene = name; search.set(name); draw(); pickGene(name, "network"); }
    followers.push((name, origin) => {
      if (origin !== "table" || !back.has(name)) return;
      asked.gene = name;
      search.set(name);
      if (cy) draw();
      host.scrollIntoView({ block: "start" });
    });
    const output = h("output", {}, "0");
    const strengthEnd = Math.max(net.strength === "probability" ? 1 : most(strength.values.map(Math.abs)), 1e-9);
    let waiting = 0;
    const later = () => { clearTimeout(waiting); waiting = setTimeout(draw, 150); };
    const range = h("input", { type: "range", min: "0", max: "1", step: "0.01", value: "0", oninput: (event) => { asked.least = Number(event.target.value) * strengthEnd; output.textContent = shown(asked.least); later(); } });
    const zoom = (factor) => cy && cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: place.clientWidth / 2, y: place.clientHeight / 2 } });
    const legends = { sign: [["down", "activates", "→"], ["up", "represses", "⊣"]], origin: [["other", "in the prior", "—"], ["c2", "new", "┄"]], strength: [["c0", "above .9", "—"], ["c4", "above .5", "—"], ["c7", "below", "—"]] };
    const legend = h("ul", { class: "legend" });
    const explain = () => legend.replaceChildren(...legends[asked.colour].map(([tone, text, mark]) => h("li", {}, h("b", { style: `color:var(--${tone})`, "aria-hidden": "true" }, mark + " "), text)), h("li", {}, "solid: in the prior; dashed: new"), h("li", {}, "dark: regulators"));
    host.replaceChildren(
      h("div", { class: "bar" }, search.node,
        h("label", {}, h("span", {}, `Least ${strength.label}: `, output), range),
        chooser("Sign", [["", "both"], ["+", "activates"], ["-", "represses"]], (value) => { asked.sign = value; draw(); }).node,
        chooser("Origin", [["", "prior and new"], ["prior", "in the prior"], ["new", "new"]], (value) => { asked.origin = value; draw(); }).node,
        chooser("Colour", [["sign", "sign"], ["origin", "prior or new"], ["strength", strength.label]], (value) => { asked.colour = value; explain(); draw(); }).node,
        chooser("Edges", [...(host.clientWidth < 600 ? [[30, "30"], [60, "60"]] : [[60, "60"], [30, "30"]]), [120, "120"], [300, "300"], [1000, "1,000"]], (value) => { asked.count = Number(value); draw(); }).node,
        h("button", { type: "button", onclick: () => { asked.gene = null; search.set(null); draw(); } }, "All genes"),
        h("button", { type: "button", "aria-label": "zoom in", onclick: () => zoom(1.4) }, "+"),
        h("button", { type: "button", "aria-label": "zoom out", onclick: () => zoom(1 / 1.4) }, "−"),
        h("button", { type: "button", onclick: () => cy && cy.fit(undefined, 22) }, "Fit")),
      legend, status, place, told);
    explain();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cy && draw());
    new ResizeObserver(() => { if (cy) fitted(); }).observe(place);
    draw();
  }

  // --- start ------------------------------------------------------------------------------------------------

  const views = { table: tableView, bars: barsView, scatter: scatterView, courses: coursesView, network: networkView };
  const start = (host) => views[host.dataset.view](host, host.dataset.key);
  const hosts = [...document.querySelectorAll(".view")];
  // What is not in sight yet is made once it comes near, or once the page has nothing else to do.
  const pending = new Set(hosts);
  const near = new IntersectionObserver((entries) => entries.forEach((entry) => { if (entry.isIntersecting) once(entry.target); }), { rootMargin: "600px" });
  function once(host) { if (pending.delete(host)) { near.unobserve(host); start(host); host.dataset.ready = "yes"; } }
  hosts.forEach((host) => near.observe(host));
  const idle = window.requestIdleCallback || ((call) => setTimeout(call, 200));
  idle(function next() { const host = pending.values().next().value; if (host) { once(host); idle(next); } });
})();
