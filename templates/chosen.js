
// One state: the chosen number. What it came from and what it flows into are read off the map that the page carries:
// its tensors with their shapes, and for each number the products that it is the sum of. No layer is known here, and
// without this script the page shows the same picture for one number.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const map = JSON.parse(document.getElementById("map").textContent);
  const product = (sizes) => sizes.reduce((a, b) => a * b, 1);
  const tensors = Object.entries(map.tensors).map(([id, tensor]) => ({ id, ...tensor })).sort((a, b) => a.at - b.at);
  const first = tensors[0].at;
  const count = map.terms.length;
  const owner = [];
  for (const t of tensors) for (let k = 0; k < product(t.shape); k++) owner.push(t);
  const of = (n) => owner[n - first];

  const parents = [];
  const children = Array.from({ length: count }, () => []);
  for (let n = 0; n < count; n++) parents.push([...new Set(map.terms[n].filter((m) => m >= 0))]);
  parents.forEach((own, n) => own.forEach((m) => children[m].push(n)));

  // Every table that shows a tensor takes part by the places of its cells.
  const shown = Array.from({ length: count }, () => []);
  const numbers = new Map();
  for (const table of all("table.tn[data-t]")) {
    const t = map.tensors[table.dataset.t];
    if (!t) continue;
    const list = (text) => (text ? text.split(" ").map(Number) : []);
    const lead = list(table.dataset.c);
    const [down, right] = table.dataset.o ? list(table.dataset.o) : [0, 0];
    const rank = t.shape.length - lead.length;
    let base = 0;
    lead.forEach((v, axis) => (base = base * t.shape[axis] + v));
    [...table.rows].forEach((row, y) => [...row.cells].forEach((cell, x) => {
      const [r, c] = table.dataset.turn ? [x, y] : [y, x];
      const [h, w] = [t.shape[t.shape.length - 2], t.shape[t.shape.length - 1]];
      const inner = rank === 2 ? (base * h + r + down) * w + c + right : rank === 1 ? base * w + c + right : base;
      const n = t.at + inner;
      shown[n].push(cell);
      numbers.set(cell, n);
    }));
  }

  // ---- words and symbols
  const before = (t, axis) => (Array.isArray(t.ring) ? t.ring[axis][0] : t.ring && axis >= (t.upper || 0) ? t.ring : 0);
  const after = (t, axis) => (Array.isArray(t.ring) ? t.ring[axis][1] : before(t, axis));
  const place = (n) => {
    const t = of(n);
    const index = [];
    let k = n - t.at;
    for (let axis = t.shape.length - 1; axis >= 0; axis--) {
      index.unshift((k % t.shape[axis]) - before(t, axis));
      k = Math.floor(k / t.shape[axis]);
    }
    return index;
  };
  const outside = (n) => place(n).some((v, axis) => v < 0 || v >= of(n).shape[axis] - before(of(n), axis) - after(of(n), axis));
  const indices = (list) => `<mrow>${list.map((v) => `<mn>${v}</mn>`).join(list.some((v) => v > 9 || v < 0) ? "<mo>,</mo>" : "")}</mrow>`;
  const symbol = (n) => {
    const t = of(n);
    const index = place(n).map((v) => v + map.base);
    const letter = t.of ? t.sym.slice(1) : t.sym;
    const base = `<mpadded depth="0"><mi class="${t.role || ""}">${letter}</mi></mpadded>`;
    const upper = index.slice(0, t.upper || 0);
    const lower = index.slice(t.upper || 0);
    let made = base;
    if (upper.length) made = lower.length ? `<msubsup>${base}${indices(lower)}${indices(upper)}</msubsup>` : `<msup>${base}${indices(upper)}</msup>`;
    else if (lower.length) made = `<msub>${base}${indices(lower)}</msub>`;
    return t.of ? `<mfrac><mrow><mi>∂</mi><mi>E</mi></mrow><mrow><mi>∂</mi>${made}</mrow></mfrac>` : made;
  };
  const math = (inner) => `<math>${inner}</math>`;
  const text = (value) => `${value}`.replace("-", "−");
  const bracketed = (value) => (/^[-−]|\//.test(`${value}`) ? `(${text(value)})` : text(value));
  // A number in its unit: p/q in thirds is 3p/q.
  const inUnit = (n) => {
    const t = of(n);
    const value = map.values[n];
    if (!t.unit || /≈|ln/.test(`${value}`)) return value;
    const [up, down = 1] = `${value}`.split("/").map(Number);
    const [one, parts = 1] = t.unit.split("/").map(Number);
    const whole = (up * parts) / (down * one);
    return Number.isInteger(whole) ? whole : value;
  };

  // ---- the panel
  const live = document.querySelector(".live .body");
  const operator = (inner) => `<span class="tm op">${inner}</span>`;
  const write = (n, flows) => {
    if (!live) return;
    const t = of(n);
    const title = [t.title, ...t.names.map((word, axis) => `${word} ${place(n)[axis] + map.base}`)].join(", ");
    const value = text(map.values[n]);
    const given = t.given || outside(n);
    let line = "";
    if (!given) {
      const factors = (map.factors || {})[n];
      const terms = map.terms[n];
      const parts = [];
      let rest = 0;
      for (let i = 0; i < terms.length; i += 2) {
        const [a, b] = [terms[i], terms[i + 1]];
        if (t.op === "sum" && terms.length > 6 && (map.values[a] === 0 || (b >= 0 && map.values[b] === 0))) {
          rest++;
          continue;
        }
        const factor = factors && factors[i / 2] !== "1" ? factors[i / 2] : "";
        const values = [factor, inUnit(a), b >= 0 ? inUnit(b) : ""].filter((v) => v !== "");
        const written = values.length > 1 ? values.map(bracketed).join("·") : t.op === "sum" ? bracketed(values[0]) : text(values[0]);
        parts.push(`<span class="tm" data-a="${a}" data-b="${b}">${math((factor ? `<mn>${bracketed(factor)}</mn>` : "") + symbol(a) + (b >= 0 ? symbol(b) : ""))}<i>${written}</i></span>`);
      }
      const open = t.how ? `${t.how.toLowerCase()}(` : t.open || (t.unit ? `${t.unit}&thinsp;(` : "");
      const close = t.how ? ")" : t.close || (t.unit ? ")" : "");
      const sign = t.op === "sum" ? operator(math('<mo form="infix">+</mo>')) : operator(",");
      line = `<div class="terms"><span class="tm op">${math(`${symbol(n)}<mo>=</mo>`)}<i>&nbsp;</i></span>${open ? operator(open) : ""}${parts.join(sign) || operator("0")}${close ? operator(close) : ""}${operator(math("<mo>=</mo>"))}${operator(`<b>${value}</b>`)}${rest ? `<span class="rest">(${rest} more, each 0)</span>` : ""}</div>`;
    }
    const totals = new Map();
    for (const m of flows) totals.set(of(m), (totals.get(of(m)) || 0) + 1);
    const words = [...totals].map(([to, k]) => {
      const whole = to.shape.reduce((size, extent, axis) => size * (extent - before(to, axis) - after(to, axis)), 1);
      return whole === 1 ? to.label : k === whole ? `all ${k} of ${to.label}` : `${k} ${k === 1 ? "entry" : "entries"} of ${to.label}`;
    });
    const what = outside(n) ? "Outside, read as 0" : `${title}${t.given ? `, given: ${value}` : ""}`;
    live.innerHTML = `<p class="what"><span>${what}</span><span class="hint">point, tap or use the arrow keys</span></p>${line}<p class="flow">${words.length ? `Flows into ${words.join(", ")}.` : "Nothing further is computed from it."}</p>`;
  };

  // ---- what lights up
  const states = ["me", "s1", "s2", "t1", "t2", "et", "eb", "el", "er", "twin", "hot"];
  const lit = new Set([...numbers.keys()].filter((cell) => states.some((state) => cell.classList.contains(state))));
  const closure = (near, next, same) => {
    const seen = new Set(near);
    const queue = near.filter(same);
    while (queue.length) for (const m of next[queue.pop()]) if (!seen.has(m) && same(m)) { seen.add(m); queue.push(m); }
    return seen;
  };
  const mark = (n, state) => { for (const cell of shown[n]) { cell.classList.add(state); lit.add(cell); } };
  const frame = (state) => {
    for (const cell of lit) {
      if (!cell.classList.contains(state)) continue;
      const row = cell.parentNode;
      const table = row.parentNode;
      const has = (other) => other && other.classList.contains(state);
      const column = cell.cellIndex;
      const y = row.sectionRowIndex;
      for (const [side, other] of [["et", table.rows[y - 1]?.cells[column]], ["eb", table.rows[y + 1]?.cells[column]], ["el", row.cells[column - 1]], ["er", row.cells[column + 1]]]) {
        if (!has(other)) cell.classList.add(side);
      }
    }
  };
  const twin = (n) => {
    const t = of(n);
    const other = t.twin && map.tensors[t.twin];
    if (!other || outside(n)) return -1;
    let k = 0;
    place(n).forEach((v, axis) => (k = k * other.shape[axis] + v + before(other, axis)));
    return other.at + k;
  };
  let chosen = -1;
  const choose = (n) => {
    if (n === chosen) return;
    chosen = n;
    const t = of(n);
    const same = (m) => !!of(m).back === !!t.back;
    for (const cell of lit) cell.classList.remove(...states);
    lit.clear();
    const from = parents[n];
    const into = children[n].filter(same);
    const flows = closure(into, children, same);
    for (const m of closure(from, parents, same)) mark(m, from.includes(m) ? "s1" : "s2");
    for (const m of flows) mark(m, into.includes(m) ? "t1" : "t2");
    const other = twin(n);
    if (other >= 0) mark(other, "twin");
    frame("s1");
    frame("t1");
    mark(n, "me");
    for (const step of all("[data-about]")) step.classList.toggle("touch", step.dataset.about.split(" ").includes(t.id));
    for (const cell of shown[n]) stop(cell);
    write(n, flows);
  };

  // ---- pointer, touch, keyboard: each table is one tab stop
  const stops = new Map();
  const stop = (cell) => {
    const table = cell.closest("table");
    const old = stops.get(table);
    if (old) old.tabIndex = -1;
    cell.tabIndex = 0;
    stops.set(table, cell);
  };
  for (const [cell, n] of numbers) {
    const t = of(n);
    const name = `${t.of ? "gradient of " : ""}${t.of ? t.sym.slice(1) : t.sym} ${place(n).map((v) => v + map.base).join(" ")}`.trim();
    cell.tabIndex = -1;
    cell.setAttribute("aria-label", outside(n) ? "outside, read as 0" : `${name}: ${text(map.values[n])}`);
  }
  for (const table of all("table.tn[data-t]")) {
    const cell = table.rows[0].cells[0];
    if (numbers.has(cell)) stop(cell);
  }
  const cellOf = (event) => {
    const cell = event.target.closest && event.target.closest(".tn td");
    return cell && numbers.has(cell) ? cell : null;
  };
  document.addEventListener("pointerover", (event) => {
    const cell = cellOf(event);
    if (cell && event.pointerType !== "touch") choose(numbers.get(cell));
  });
  document.addEventListener("click", (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    stop(cell);
    cell.focus({ preventScroll: true });
    choose(numbers.get(cell));
  });
  document.addEventListener("focusin", (event) => {
    if (numbers.has(event.target)) choose(numbers.get(event.target));
  });
  document.addEventListener("keydown", (event) => {
    const cell = event.target;
    if (!numbers.has(cell) || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = cell.parentNode;
    const [y, x] = [row.sectionRowIndex, cell.cellIndex];
    const to = { ArrowUp: [y - 1, x], ArrowDown: [y + 1, x], ArrowLeft: [y, x - 1], ArrowRight: [y, x + 1], Home: [y, 0], End: [y, row.cells.length - 1] }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = row.parentNode.rows[to[0]]?.cells[to[1]];
    if (!next) return;
    stop(next);
    next.focus();
    choose(numbers.get(next));
  });
  const hot = (event, on) => {
    const term = event.target.closest && event.target.closest(".tm[data-a]");
    if (!term) return;
    for (const n of [+term.dataset.a, +term.dataset.b]) {
      if (n < 0) continue;
      for (const cell of shown[n]) {
        cell.classList.toggle("hot", on);
        lit.add(cell);
      }
    }
  };
  document.addEventListener("pointerover", (event) => hot(event, true));
  document.addEventListener("pointerout", (event) => hot(event, false));
  choose(map.first);
})();
