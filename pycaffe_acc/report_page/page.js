"use strict";
// Draws the figures of the page from its data, and filters them and the tables. Text from the data goes into text nodes only, never into markup.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const NS = "http://www.w3.org/2000/svg";
  const chosen = {};
  const tip = document.getElementById("tip");

  // a precision has the same colour in every figure that compares precisions
  const colours = new Map();
  for (const f of data.figures) {
    if (f.kind === "bars") for (const s of f.series) if (!colours.has(s.name)) colours.set(s.name, colours.size % 10);
  }

  // ---- small parts -------------------------------------------------------------------------------------------------------------------------

  function svg(name, attributes, parent, text) {
    const node = document.createElementNS(NS, name);
    for (const key of Object.keys(attributes || {})) node.setAttribute(key, String(attributes[key]));
    if (text !== undefined) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  }

  function html(name, className, parent, text) {
    const node = document.createElement(name);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    if (parent) parent.appendChild(node);
    return node;
  }

  function shown(value) {
    const size = Math.abs(value);
    if (size >= 10000) return Math.round(value).toLocaleString("en");
    if (size >= 100) return value.toFixed(0);
    if (size >= 10) return value.toFixed(1);
    return value.toFixed(2);
  }

  function told(mark, text) {
    mark.setAttribute("tabindex", "0");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", text);
    mark.classList.add("mark");
    const show = function (x, y) {
      tip.textContent = text;
      tip.hidden = false;
      const box = tip.getBoundingClientRect();
      tip.style.left = Math.max(6, Math.min(x + 12, window.innerWidth - box.width - 6)) + "px";
      tip.style.top = (y + box.height + 20 > window.innerHeight ? y - box.height - 10 : y + 14) + "px";
    };
    mark.addEventListener("pointermove", function (e) { show(e.clientX, e.clientY); });
    mark.addEventListener("pointerleave", function () { tip.hidden = true; });
    mark.addEventListener("focus", function () { const b = mark.getBoundingClientRect(); show(b.right, b.top); });
    mark.addEventListener("blur", function () { tip.hidden = true; });
  }

  function cut(text, width) {
    const most = Math.max(4, Math.floor(width / 6.6));
    return text.length <= most ? text : text.slice(0, most - 1) + "…";
  }

  // ---- scales ------------------------------------------------------------------------------------------------------------------------------

  function steps(low, high, count) {
    const raw = (high - low || 1) / count, power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 2.5, 5, 10].map(function (f) { return f * power; }).find(function (s) { return s >= raw; }) || 10 * power;
    const found = [];
    for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-6; v += step) found.push(Math.abs(v) < step * 1e-9 ? 0 : v);
    return found;
  }

  function linear(low, high, from, to, count) {
    const scale = function (v) { return from + (v - low) / (high - low || 1) * (to - from); };
    scale.ticks = steps(low, high, count);
    const step = scale.ticks.length > 1 ? scale.ticks[1] - scale.ticks[0] : 1, power = Math.floor(Math.log10(step) + 1e-9);
    // as many digits as tell two ticks apart: one more for steps of 2.5
    const digits = Math.max(0, Math.min(8, -power + (Math.abs(step / Math.pow(10, power) - 2.5) < 1e-6 ? 1 : 0)));
    scale.text = function (v) { return step < 1 ? v.toFixed(digits) : brief(v); };
    return scale;
  }

  function logarithmic(low, high, from, to) {
    const a = Math.log10(low), b = Math.log10(high);
    const scale = function (v) { return from + (Math.log10(v) - a) / (b - a || 1) * (to - from); };
    scale.ticks = [];
    scale.text = brief;
    const within = b - a > 2.6 ? [1] : b - a > 1.2 ? [1, 3] : [1, 2, 5];
    for (let p = Math.floor(a); p <= Math.ceil(b); p++) {
      for (const f of within) {
        const v = f * Math.pow(10, p);
        if (v >= low * 0.999 && v <= high * 1.001) scale.ticks.push(v);
      }
    }
    return scale;
  }

  function brief(value) {
    const size = Math.abs(value);
    if (size >= 1e6) return +(value / 1e6).toPrecision(3) + "M";
    if (size >= 1e3) return +(value / 1e3).toPrecision(3) + "k";
    return String(+value.toPrecision(3));
  }

  // ---- figures -----------------------------------------------------------------------------------------------------------------------------

  function visible(figure) {
    return figure.series.map(function (series, i) {
      return {name: series.name, colour: figure.kind === "bars" ? colours.get(series.name) : i % 10, points: series.points.filter(function (p) {
        return ["model", "variant", "device"].every(function (k) { return p[k] === undefined || !chosen[k] || chosen[k].has(p[k]); });
      })};
    }).filter(function (s) { return s.points.length; });
  }

  function draw(holder) {
    const figure = data.figures[Number(holder.dataset.figure)];
    const plot = holder.querySelector(".plot"), legend = holder.querySelector(".legend");
    plot.replaceChildren();
    legend.replaceChildren();
    const series = visible(figure);
    if (!series.length) {
      html("p", "empty", plot, "Nothing is left of this figure: the filters above leave out all of it.");
      return;
    }
    for (const s of series) {
      const item = html("li", "", legend);
      html("span", "key f" + s.colour, item);
      item.appendChild(document.createTextNode(s.name));
    }
    const width = Math.max(260, plot.clientWidth || 520);
    const kinds = {bars: bars, lines: lines, scatter: scatter, split: split};
    kinds[figure.kind](figure, series, plot, width);
  }

  function canvas(plot, width, height, title) {
    return svg("svg", {viewBox: "0 0 " + width + " " + height, role: "group", "aria-label": title}, plot);
  }

  function groupsOf(series) {
    const groups = new Map();
    for (const s of series) {
      for (const p of s.points) {
        if (!groups.has(p.x)) groups.set(p.x, []);
        groups.get(p.x).push({point: p, colour: s.colour, name: s.name});
      }
    }
    return groups;
  }

  function bars(figure, series, plot, width) {
    const groups = groupsOf(series), values = series.flatMap(function (s) { return s.points.map(function (p) { return p.y; }); });
    const most = Math.max.apply(null, values.concat(0)), least = Math.min.apply(null, values.concat(0));
    const smallest = Math.min.apply(null, values);
    const log = smallest > 0 && most / smallest > 25;
    const above = width < 480, left = above ? 4 : Math.min(190, width * 0.34), right = 52, row = 15;
    let height = 8;
    const places = [];
    groups.forEach(function (items, name) {
      places.push({name: name, items: items, top: height});
      height += (above ? 18 : 0) + items.length * row + 11;
    });
    const bottom = height;
    const root = canvas(plot, width, bottom + 36, figure.title);
    const scale = log ? logarithmic(smallest / 1.6, most, left, width - right) : linear(least, most || 1, left, width - right, above ? 4 : 6);
    axis(root, scale, bottom, width, figure.y + (log ? " (logarithmic)" : ""), left);
    for (const place of places) {
      const first = place.top + (above ? 16 : 0);
      if (above) svg("text", {x: left, y: place.top + 11}, root, cut(String(place.name), width - 8));
      else svg("text", {x: left - 8, y: first + place.items.length * row / 2 + 3, "text-anchor": "end"}, root, cut(String(place.name), left - 10));
      place.items.forEach(function (item, i) {
        const y = first + i * row, end = scale(item.point.y), start = log ? left : scale(0);
        let mark;
        if (log) {
          svg("line", {x1: left, x2: end, y1: y + 6, y2: y + 6, "class": "stem s" + item.colour}, root);
          mark = svg("circle", {cx: end, cy: y + 6, r: 5, "class": "f" + item.colour}, root);
        } else {
          mark = svg("rect", {x: Math.min(start, end), y: y + 1, width: Math.max(1.5, Math.abs(end - start)), height: row - 4, rx: 2, "class": "f" + item.colour}, root);
        }
        told(mark, item.point.label || item.name + ", " + place.name + ": " + shown(item.point.y));
        const back = item.point.y < 0 && !log;
        svg("text", {x: back ? Math.max(start, end) + 5 : end + (log ? 9 : 5), y: y + 10, "class": "value"}, root,
            shown(item.point.y) + (item.point.valid === false ? " ✗" : ""));
      });
    }
    if (!log && least < 0) svg("line", {x1: scale(0), x2: scale(0), y1: 2, y2: bottom, "class": "zero"}, root);
  }

  function axis(root, scale, bottom, width, title, left) {
    for (const v of scale.ticks) {
      svg("line", {x1: scale(v), x2: scale(v), y1: 2, y2: bottom, "class": "grid"}, root);
      svg("text", {x: scale(v), y: bottom + 14, "class": "tick", "text-anchor": "middle"}, root, scale.text(v));
    }
    svg("text", {x: (left + width - 20) / 2, y: bottom + 31, "class": "tick", "text-anchor": "middle"}, root, title);
  }

  function frame(figure, series, plot, width, logX) {
    const points = series.flatMap(function (s) { return s.points; });
    const xs = points.map(function (p) { return p.x; }), ys = points.map(function (p) { return p.y; });
    const height = Math.min(380, Math.max(250, width * 0.62)), left = 46, right = 16, top = 12, bottom = height - 42;
    const root = canvas(plot, width, height, figure.title);
    let low = Math.min.apply(null, ys), high = Math.max.apply(null, ys);
    const room = (high - low || Math.abs(high) || 1) * 0.08;
    low = low >= 0 && low - room < 0 ? 0 : low - room;
    high += room;
    const least = Math.min.apply(null, xs), most = Math.max.apply(null, xs);
    const x = logX && least > 0 ? logarithmic(least / 1.25, most * 1.25, left, width - right) : linear(least, most, left, width - right, width < 480 ? 4 : 7);
    const y = linear(low, high, bottom, top, 6);
    for (const v of y.ticks) {
      svg("line", {x1: left, x2: width - right, y1: y(v), y2: y(v), "class": "grid"}, root);
      svg("text", {x: left - 6, y: y(v) + 4, "class": "tick", "text-anchor": "end"}, root, y.text(v));
    }
    for (const v of x.ticks) {
      svg("line", {x1: x(v), x2: x(v), y1: top, y2: bottom, "class": "grid"}, root);
      svg("text", {x: x(v), y: bottom + 15, "class": "tick", "text-anchor": "middle"}, root, x.text(v));
    }
    svg("text", {x: (left + width - right) / 2, y: height - 8, "class": "tick", "text-anchor": "middle"}, root, figure.x + (logX ? " (logarithmic)" : ""));
    svg("text", {x: 12, y: (top + bottom) / 2, "class": "tick", "text-anchor": "middle", transform: "rotate(-90 12 " + (top + bottom) / 2 + ")"}, root, figure.y);
    return {root: root, x: x, y: y, left: left, right: width - right};
  }

  function dot(place, point, colour, radius) {
    const cx = place.x(point.x), cy = place.y(point.y);
    if (point.valid === false) {
      const r = radius + 0.5;
      const group = svg("g", {"class": "cross s" + colour}, place.root);
      svg("path", {d: "M" + (cx - r) + " " + (cy - r) + "L" + (cx + r) + " " + (cy + r) + "M" + (cx - r) + " " + (cy + r) + "L" + (cx + r) + " " + (cy - r)}, group);
      svg("rect", {x: cx - r - 3, y: cy - r - 3, width: 2 * r + 6, height: 2 * r + 6, fill: "transparent", stroke: "none"}, group);
      return group;
    }
    return svg("circle", {cx: cx, cy: cy, r: radius, "class": "f" + colour}, place.root);
  }

  function lines(figure, series, plot, width) {
    const place = frame(figure, series, plot, width, false);
    for (const s of series) {
      const points = s.points.slice().sort(function (a, b) { return a.x - b.x; });
      const path = points.map(function (p, i) { return (i ? "L" : "M") + place.x(p.x).toFixed(1) + " " + place.y(p.y).toFixed(1); }).join("");
      svg("path", {d: path, "class": "curve s" + s.colour}, place.root);
      for (const p of points) told(dot(place, p, s.colour, 3.6), p.label || s.name + ": " + shown(p.y));
    }
  }

  function scatter(figure, series, plot, width) {
    const place = frame(figure, series, plot, width, true);
    const front = series.flatMap(function (s) { return s.points; }).filter(function (p) { return p.front; }).sort(function (a, b) { return a.x - b.x; });
    if (front.length > 1) {
      // a staircase: between two points of the front only what the slower one gives is reached
      const path = front.map(function (p, i) {
        const px = place.x(p.x).toFixed(1), py = place.y(p.y).toFixed(1);
        return i ? "V" + py + "H" + px : "M" + px + " " + py;
      }).join("");
      svg("path", {d: path, "class": "front"}, place.root);
    }
    for (const s of series) {
      for (const p of s.points) told(dot(place, p, s.colour, p.front ? 6 : 4.2), p.label || s.name);
    }
  }

  function split(figure, series, plot, width) {
    const groups = groupsOf(series), above = width < 480, left = above ? 4 : Math.min(230, width * 0.4), right = 14, row = above ? 34 : 19;
    const bottom = 8 + groups.size * row, root = canvas(plot, width, bottom + 36, figure.title);
    const scale = linear(0, 100, left, width - right, above ? 4 : 5);
    axis(root, scale, bottom, width, figure.y, left);
    let top = 6;
    groups.forEach(function (items, name) {
      if (above) svg("text", {x: left, y: top + 11}, root, cut(String(name), width - 8));
      else svg("text", {x: left - 8, y: top + 11, "text-anchor": "end"}, root, cut(String(name), left - 10));
      let at = 0;
      for (const item of items) {
        const share = Math.max(0, item.point.y);
        const mark = svg("rect", {x: scale(at), y: above ? top + 15 : top + 1, width: Math.max(0, scale(at + share) - scale(at)), height: 13, "class": "f" + item.colour}, root);
        told(mark, item.point.label || item.name + " " + shown(share) + " %");
        at += share;
      }
      top += row;
    });
  }

  // ---- filters -----------------------------------------------------------------------------------------------------------------------------

  function refresh() {
    document.querySelectorAll("figure[data-figure]").forEach(draw);
    let left = 0, all = 0;
    document.querySelectorAll("tr[data-model]").forEach(function (tr) {
      const on = ["model", "variant", "device"].every(function (k) { return !chosen[k] || tr.dataset[k] === undefined || chosen[k].has(tr.dataset[k]); });
      tr.hidden = !on;
      all += 1;
      left += on ? 1 : 0;
    });
    document.getElementById("count").textContent = left + " of " + all + " rows";
  }

  document.querySelectorAll(".filters details[data-filter]").forEach(function (menu) {
    const key = menu.dataset.filter, boxes = Array.from(menu.querySelectorAll("input[type=checkbox]"));
    const take = function () {
      const on = boxes.filter(function (b) { return b.checked; });
      chosen[key] = on.length === boxes.length ? null : new Set(on.map(function (b) { return b.value; }));
      menu.querySelector("summary").textContent = menu.dataset.title + (chosen[key] ? ": " + on.length + " of " + boxes.length : ": all");
      refresh();
    };
    boxes.forEach(function (b) { b.addEventListener("change", take); });
    menu.querySelectorAll("button[data-set]").forEach(function (button) {
      button.addEventListener("click", function () {
        boxes.forEach(function (b) { b.checked = button.dataset.set === "all"; });
        take();
      });
    });
    menu.addEventListener("toggle", function () {
      if (menu.open) document.querySelectorAll(".filters details[open]").forEach(function (o) { if (o !== menu) o.open = false; });
    });
  });
  document.addEventListener("click", function (e) {
    if (!e.target.closest(".filters details")) document.querySelectorAll(".filters details[open]").forEach(function (o) { o.open = false; });
  });
  document.addEventListener("keydown", function (e) {
    if (e.key === "Escape") { tip.hidden = true; document.querySelectorAll(".filters details[open]").forEach(function (o) { o.open = false; }); }
  });

  document.getElementById("theme").addEventListener("click", function () {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || document.documentElement.dataset.theme === "dark" ||
      (!document.documentElement.dataset.theme && window.matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });

  let waiting = 0;
  window.addEventListener("resize", function () { clearTimeout(waiting); waiting = setTimeout(refresh, 120); });
  refresh();
  document.documentElement.dataset.ready = "yes";
})();
