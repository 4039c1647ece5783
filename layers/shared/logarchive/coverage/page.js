"use strict";
(() => {
  const json = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = json("data"), texts = json("texts");
  const CELL = 8, HOURS = 24, CHART = 72, DAY = 86400000, MONTH = 30, WORRYING = 5, CLOSED = 7, MISSING = 8, PAPER_DAYS = 88;
  const root = document.documentElement, main = document.getElementById("main");
  let language = (navigator.language || "").startsWith("ko") ? "ko" : "en";
  let maps = [], colours = {};

  // --- Texts ---
  const text = (key, values = {}) => texts[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const formats = { en: new Intl.NumberFormat("en"), ko: new Intl.NumberFormat("ko") };
  const number = (value) => formats[language].format(value);
  const bytes = (value) => {
    const step = value < 1000 ? 0 : Math.min(5, Math.floor(Math.log10(value) / 3));
    return `${number(Math.round((10 * value) / 1000 ** step) / 10)} ${["B", "KB", "MB", "GB", "TB", "PB"][step]}`;
  };
  const percent = (share, of) => (of ? `${number(Math.floor((10000 * share) / of) / 100)} %` : "–");
  const moment = (instant) => instant.slice(0, 16).replace("T", " ");
  const age = (seconds) => {
    const [unit, size] = seconds < 3600 ? ["minutes", 60] : seconds < 172800 ? ["hours", 3600] : ["days", 86400];
    return text(unit, { n: number(Math.round(seconds / size)) });
  };
  const iso = (seconds) => (seconds % 3600 ? `PT${seconds / 60}M` : seconds % 86400 ? `PT${seconds / 3600}H` : `P${seconds / 86400}D`);

  // --- Elements ---
  const el = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const table = (label, heads, rows, numeric) => {
    const cell = (kind, content, at, more = {}) => el(kind, { ...more, class: numeric.includes(at) ? "number" : at ? "" : "fixed" }, content);
    const body = rows.map((row) => el("tr", {}, ...row.map((content, at) => cell("td", content, at))));
    return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", {},
      el("thead", {}, el("tr", {}, ...heads.map((head, at) => cell("th", head, at, { scope: "col" })))), el("tbody", {}, ...body)));
  };
  const fixed = (content) => el("span", { class: "fixed" }, content);
  const period = ([start, end]) => el("span", {}, fixed(`${moment(start)} ${text("to")}`), " ", fixed(moment(end)));
  const note = (content) => el("p", { class: "note" }, content);

  // --- Colours, each with a pattern ---
  const readColours = () => {
    const probe = main.appendChild(el("span"));
    const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
    for (const name of ["fg", "bg", "soft", "edge", "accent"]) colours[name] = colour(name);
    colours.cells = texts.en.cells.map((_, code) => [colour(`c${code}`), colour(`i${code}`)]);
    probe.remove();
  };
  const PATTERNS = [[], [], [[3, 3, 2, 2]], [[1, 5, 1, 1], [2, 4, 1, 1], [3, 3, 1, 1], [4, 2, 1, 1], [5, 1, 1, 1]], [[1, 1, 5, 1], [1, 5, 5, 1], [1, 1, 1, 5], [5, 1, 1, 5]],
    [[1, 3, 5, 1]], [[3, 1, 1, 3], [3, 5, 1, 1]], [[1, 1, 1, 1], [2, 2, 1, 1], [3, 3, 1, 1], [4, 4, 1, 1], [5, 5, 1, 1], [5, 1, 1, 1], [4, 2, 1, 1], [2, 4, 1, 1], [1, 5, 1, 1]], [[2, 1, 1, 5], [4, 1, 1, 5]]];
  const tiles = new Map();
  const tile = (code, scale) => {
    if (tiles.has(code)) return tiles.get(code);
    const made = el("canvas"), size = CELL * scale;
    tiles.set(code, made);
    made.width = made.height = size;
    const draw = made.getContext("2d"), [fill, ink] = colours.cells[code];
    draw.scale(scale, scale);
    draw.fillStyle = fill;
    draw.fillRect(0, 0, CELL - 1, CELL - 1);
    draw.fillStyle = ink;
    for (const box of PATTERNS[code]) draw.fillRect(...box);
    return made;
  };
  const SVG = "http://www.w3.org/2000/svg";
  const svg = (name, attributes, ...children) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const box = ([x, y, width, height], name) => svg("rect", { x, y, width, height, class: name });
  const symbols = () => svg("svg", { class: "symbols", "aria-hidden": "true" }, ...PATTERNS.map((boxes, code) =>
    svg("symbol", { id: `icon-${code}`, viewBox: "0 0 7 7" }, box([0, 0, 7, 7], `fill-${code}`), ...boxes.map((one) => box(one, `ink-${code}`)))));
  const icon = (code) => svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#icon-${code}` }));
  const state = (code) => el("span", {}, icon(code), texts[language].cells[code]);

  // --- One source's hours ---
  const numbers = (runs) => {
    const list = [];
    for (const run of runs ? runs.split(" ") : []) {
      const [value, count] = run.split("*");
      for (let left = Number(count || 1); left; left--) list.push(Number(value));
    }
    return list;
  };
  class HourMap {
    constructor(source, at) {
      this.source = source;
      this.first = Date.parse(`${source.first}T00:00:00Z`);
      this.days = Math.round((Date.parse(`${data.read_at.slice(0, 10)}T00:00:00Z`) - this.first) / DAY) + 1;
      this.day = this.days - 1;
      this.hour = 0;
      this.cell = el("span", { role: "gridcell", id: `cell-${at}` });
      this.row = el("span", { role: "row" }, this.cell);
      this.canvas = el("canvas", { "aria-hidden": "true" });
      this.cursor = el("span", { class: "cursor", hidden: "" });
      this.grid = el("div", { class: "grid", role: "grid", tabindex: "0", "aria-rowcount": HOURS, "aria-colcount": this.days, "aria-activedescendant": `cell-${at}`,
        "aria-label": text("grid", { source: source.name, days: number(this.days) }) }, this.row, this.canvas, this.cursor);
      this.canvas.style.width = `${this.days * CELL}px`;
      this.canvas.style.height = `${HOURS * CELL}px`;
      this.chart = el("canvas", { class: "chart", "aria-hidden": "true" });
      this.chart.style.width = `${this.days * CELL}px`;
      this.readout = el("p", { class: "readout" }, text("pick"));
      this.caption = note("");
      this.scroll = el("div", { class: "scroll" }, this.grid, this.chart);
      const axis = el("div", { class: "axis", "aria-hidden": "true" });
      for (let hour = 0; hour < HOURS; hour += 6) {
        const mark = axis.appendChild(el("span", {}, String(hour).padStart(2, "0")));
        mark.style.top = `${hour * CELL}px`;
      }
      this.element = el("div", {}, el("div", { class: "map" }, axis, this.scroll), this.readout, this.caption);
      this.grid.addEventListener("keydown", (event) => this.key(event));
      this.grid.addEventListener("focus", () => this.show(true));
      this.grid.addEventListener("blur", () => { this.cursor.hidden = true; });
      this.grid.addEventListener("mousemove", (event) => this.point(event));
    }
    decode() {
      if (this.cells) return;
      const { source } = this;
      [this.cells, this.rows, this.rejects, this.late, this.bytes] = [source.cells, source.rows, source.rejects, source.late, source.bytes].map(numbers);
      this.dayRows = Array.from({ length: this.days }, (_, day) => this.rows.slice(day * HOURS, (day + 1) * HOURS).reduce((sum, one) => sum + one, 0));
      const highest = (list) => list.reduce((most, one) => Math.max(most, one), 0);
      [this.mostRows, this.mostBytes] = [highest(this.dayRows), highest(this.bytes)];
      this.caption.textContent = text("per_day", { rows: number(this.mostRows), bytes: bytes(this.mostBytes) });
    }
    draw() {
      if (this.drawn) return;
      this.decode();
      const scale = Math.ceil(devicePixelRatio), size = CELL * scale;
      this.canvas.width = this.days * size;
      this.canvas.height = HOURS * size;
      const draw = this.canvas.getContext("2d");
      this.cells.forEach((code, at) => draw.drawImage(tile(code, scale), Math.floor(at / HOURS) * size, (at % HOURS) * size));
      this.drawChart(scale);
      this.scroll.scrollLeft = this.day * CELL;
      this.drawn = true;
    }
    drawChart(scale) {
      this.chart.width = this.days * CELL * scale;
      this.chart.height = CHART * scale;
      const draw = this.chart.getContext("2d"), top = 14, height = CHART - top;
      draw.scale(scale, scale);
      draw.font = "11px system-ui, sans-serif";
      for (let day = 0; day < this.days; day++) {
        const date = this.date(day);
        draw.fillStyle = colours.soft;
        if (date.endsWith("-01") || !day) draw.fillText(date.slice(0, 7), day * CELL, 11);
        draw.fillStyle = colours.cells[3][0];
        const rows = this.mostRows ? (height * this.dayRows[day]) / this.mostRows : 0;
        draw.fillRect(day * CELL, CHART - rows, CELL - 1, rows);
      }
      draw.strokeStyle = colours.fg;
      draw.beginPath();
      this.bytes.forEach((value, day) => draw.lineTo((day + 0.5) * CELL, CHART - 1 - (this.mostBytes ? ((height - 2) * value) / this.mostBytes : 0)));
      draw.stroke();
    }
    drawForPaper() {
      this.draw();
      const scale = Math.ceil(devicePixelRatio), size = CELL * scale, height = HOURS * size;
      const strips = this.element.appendChild(el("div", { class: "strips" }));
      for (let first = 0; first < this.days; first += PAPER_DAYS) {
        const days = Math.min(PAPER_DAYS, this.days - first), strip = el("canvas"), width = days * size, left = first * size;
        strip.width = width;
        strip.height = height + this.chart.height;
        strip.style.width = `${days * CELL}px`;
        const draw = strip.getContext("2d");
        draw.drawImage(this.canvas, left, 0, width, height, 0, 0, width, height);
        draw.drawImage(this.chart, left, 0, width, this.chart.height, 0, height, width, this.chart.height);
        strips.append(note(`${this.date(first)} ${text("to")} ${this.date(first + days - 1)}`), strip);
      }
      this.clear();
    }
    clear() {
      this.canvas.width = this.chart.width = 0;
      this.drawn = false;
    }
    label() {
      const at = this.day * HOURS + this.hour, two = (hour) => String(hour).padStart(2, "0");
      return text("hour", { day: this.date(), hour: two(this.hour), next: two(this.hour + 1), cell: texts[language].cells[this.cells[at]],
        rows: number(this.rows[at]), rejects: number(this.rejects[at]), late: number(this.late[at]) });
    }
    date(day = this.day) {
      return new Date(this.first + day * DAY).toISOString().slice(0, 10);
    }
    show(focused) {
      this.draw();
      const said = this.label();
      this.row.setAttribute("aria-rowindex", this.hour + 1);
      this.cell.setAttribute("aria-colindex", this.day + 1);
      this.cell.textContent = said;
      this.readout.textContent = `${said}. ${text("day", { rows: number(this.dayRows[this.day]), bytes: bytes(this.bytes[this.day]) })}`;
      this.cursor.style.left = `${this.day * CELL}px`;
      this.cursor.style.top = `${this.hour * CELL}px`;
      this.cursor.hidden = !focused;
      const left = this.day * CELL, { scrollLeft, clientWidth } = this.scroll;
      if (focused && (left < scrollLeft || left + CELL > scrollLeft + clientWidth)) this.scroll.scrollLeft = left - clientWidth / 2;
    }
    key(event) {
      const steps = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0], PageUp: [-MONTH, 0], PageDown: [MONTH, 0],
        Home: [-this.days, event.ctrlKey ? -HOURS : 0], End: [this.days, event.ctrlKey ? HOURS : 0] };
      const step = steps[event.key];
      if (!step || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.move(this.day + step[0], this.hour + step[1], true);
    }
    move(day, hour, focused) {
      this.day = Math.min(this.days - 1, Math.max(0, day));
      this.hour = Math.min(HOURS - 1, Math.max(0, hour));
      this.show(focused);
    }
    point(event) {
      const box = this.grid.getBoundingClientRect();
      this.move(Math.floor((event.clientX - box.left) / CELL), Math.floor((event.clientY - box.top) / CELL), document.activeElement === this.grid);
    }
  }

  // --- The page's sections ---
  const summary = () => {
    const heads = ["source", "period", "windows", "sealed", "verified", "closed", "rows", "bytes", "rejects", "late"].map((key) => text(key));
    const row = (name, period, { windows, compared, sealed, verified, closed, rows, bytes: size, rejects, late }) =>
      [name, period, number(windows), percent(sealed, windows), compared ? percent(verified, compared) : windows ? text("not_applicable") : "–", number(closed), number(rows), bytes(size), number(rejects), number(late)];
    const rows = data.sources.map((source, at) => row(el("a", { href: `#source-${at}` }, source.name), source.planned ? period(source.planned) : text("nothing"), source.totals));
    const sum = {};
    for (const { totals } of data.sources) for (const [key, value] of Object.entries(totals)) sum[key] = (sum[key] || 0) + value;
    if (rows.length) rows.push(row(text("all"), "", sum));
    return [el("h2", {}, text("summary")), rows.length ? table(text("summary"), heads, rows, [2, 3, 4, 5, 6, 7, 8, 9]) : el("p", {}, text("none_yet")), note(text("verified_note"))];
  };
  const problems = (key) => data[key].length ? [el("h2", {}, text(key)), note(text(`${key}_note`)), table(text(key), [text("source"), text("message")], data[key], [])] : [];
  const issue = (code) => code ? `${texts[language].issues[code] || ""} (${code})`.trim() : "–";
  const message = (gap) => gap.cell === MISSING && gap.error ? text("stalled") : gap.error || "";
  const loss = (gap) => {
    if (gap.cell === CLOSED) return text("lost");
    if (!gap.lost_at) return gap.cell === WORRYING ? "–" : text("unknown");
    const left = (Date.parse(gap.lost_at) - Date.parse(data.read_at)) / 1000;
    return `${moment(gap.lost_at)} (${left > 0 ? text("in_time", { n: age(left) }) : text("lost")})`;
  };
  const gaps = () => {
    const heads = ["source", "when", "windows", "state", "issue", "loss", "message"].map((key) => text(key));
    const rows = data.gaps.map((gap) => [gap.source, period(gap.span), number(gap.windows), state(gap.cell), issue(gap.issue), loss(gap), message(gap)]);
    const more = data.gaps_left ? [note(text("gaps_left", { n: number(data.gaps_left) }))] : [];
    const list = rows.length ? table(text("gaps"), heads, rows, [2]) : el("p", {}, text("no_gaps"));
    if (rows.length) list.classList.add("gaps");
    return [el("h2", {}, text("gaps")), list, ...more];
  };
  const legend = () => [el("h2", {}, text("legend")), el("ul", { class: "legend" }, ...texts[language].cells.map((_, code) => el("li", {}, state(code)))), el("p", { class: "note keys" }, text("keys"))];
  const lateness = (source) => {
    const rows = source.curve.map(([seconds, visits, count, later]) => {
      const bar = el("i"), share = el("span", { class: "share", "aria-hidden": "true" }, bar);
      bar.style.width = `${count ? (100 * (count - later)) / count : 0}%`;
      return [`≤ ${age(seconds)}`, number(visits), el("span", {}, share, percent(count - later, count))];
    });
    if (!rows.length) return [note(text("no_curve"))];
    const said = source.delay === null ? text("no_delay") : text("delay", { delay: age(source.delay), iso: iso(source.delay) });
    return [el("h4", {}, text("lateness")), table(text("lateness"), ["age", "visits", "arrived"].map((key) => text(key)), rows, [1]), el("p", {}, said), note(text("curve_note"))];
  };
  const sources = () => data.sources.map((source, at) => {
    const map = new HourMap(source, at);
    maps.push(map);
    return el("section", { id: `source-${at}` }, el("h3", {}, source.name), map.element, ...lateness(source));
  });
  const checkpoint = () => [el("h2", {}, text("checkpoint")), data.checkpoint ? el("pre", { tabindex: "0" }, data.checkpoint) : el("p", {}, text("no_checkpoint")), note(text("checkpoint_note"))];

  // --- Drawn when it comes into view; freed when it leaves ---
  const watcher = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      const map = maps.find((one) => one.element === target);
      if (map) isIntersecting ? map.draw() : map.clear();
    }
  }, { rootMargin: "400px" });

  const render = () => {
    root.lang = language;
    document.title = `${text("title")}: ${data.archive}`;
    document.getElementById("about").textContent = text("about", { archive: data.archive, at: moment(data.read_at) });
    for (const one of document.querySelectorAll("[data-text]")) one.textContent = text(one.dataset.text);
    for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", text(one.dataset.label));
    for (const one of document.querySelectorAll("button[data-language]")) one.setAttribute("aria-pressed", one.dataset.language === language);
    for (const one of document.querySelectorAll("button[data-theme]")) one.setAttribute("aria-pressed", one.dataset.theme === (root.dataset.theme || "auto"));
    watcher.disconnect();
    maps = [];
    readColours();
    tiles.clear();
    main.replaceChildren(symbols(), ...problems("invalid"), ...gaps(), ...summary(), ...problems("unread"), ...legend(), ...sources(), ...checkpoint());
    for (const map of maps) watcher.observe(map.element);
  };
  const setTheme = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    render();
  };
  for (const one of document.querySelectorAll("button[data-language]")) one.addEventListener("click", () => { language = one.dataset.language; render(); });
  for (const one of document.querySelectorAll("button[data-theme]")) one.addEventListener("click", () => setTheme(one.dataset.theme));
  let before = null; // the theme to return to while the page is printed; paper is light
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (before === null) render(); });
  addEventListener("beforeprint", () => {
    before = root.dataset.theme || "auto";
    setTheme("light");
    watcher.disconnect();
    for (const map of maps) map.drawForPaper();
  });
  addEventListener("afterprint", () => { setTheme(before); before = null; });
  render();
})();
