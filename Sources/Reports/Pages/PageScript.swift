/// What pages do by themselves: sort, filter, copy, open the run that a link names; live pages fetch their
/// parts anew. A page without scripts loses that, and the runs beyond the first hundreds.
package enum PageScript {
  package static let report = #"""
    "use strict";
    const value = cell => {
      const given = cell.dataset.v;
      if (given === undefined) return cell.textContent.trim();
      return given === "" ? null : Number(given);
    };
    const order = (a, b, sign) => {
      // What is missing stays at the end, whichever way the rest goes.
      if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
      if (typeof a === "number" && typeof b === "number") return sign * (a - b);
      return sign * String(a).localeCompare(String(b), "en", { numeric: true });
    };
    const sort = (table, column, direction) => {
      complete(table);
      const heads = [...table.tHead.rows[0].cells];
      for (const other of heads) other.removeAttribute("aria-sort");
      heads[column].setAttribute("aria-sort", direction);
      const rows = [...table.tBodies[0].rows].map(row => [value(row.cells[column]), row]);
      rows.sort((a, b) => order(a[0], b[0], direction === "ascending" ? 1 : -1));
      table.tBodies[0].append(...rows.map(pair => pair[1]));
    };
    // What waits as text in a script, because a page of a thousand runs opens faster without it.
    const complete = table => {
      const rest = table.id && document.querySelector(`script[data-rows="${table.id}"]`);
      if (!rest) return;
      table.tBodies[0].insertAdjacentHTML("beforeend", rest.textContent);
      rest.remove();
    };
    const unfold = group => {
      const rest = document.getElementById(group.dataset.holds);
      if (!rest) return;
      group.insertAdjacentHTML("beforeend", rest.textContent);
      rest.remove();
    };
    // Charts over epochs: a part that was fetched anew stays as the reader left it.
    const looks = new Map();
    const look = (part, name) => {
      const key = (part.closest("[data-live]")?.dataset.live ?? "") + " " + name;
      if (!looks.has(key)) looks.set(key, { late: false, off: new Set(), plot: 0, epoch: null, isHeld: false });
      return looks.get(key);
    };
    // The last third of the epochs by itself, of all charts of a part.
    const zoom = part => {
      const late = part.querySelectorAll("svg[data-first]:nth-of-type(2)");
      if (!late.length) return;
      const state = look(part, "zoom " + part.dataset.zoom);
      const button = document.createElement("button");
      const show = () => {
        button.setAttribute("aria-pressed", state.late);
        for (const drawing of late) {
          drawing.toggleAttribute("hidden", !state.late);
          drawing.previousElementSibling.toggleAttribute("hidden", state.late);
        }
      };
      button.type = "button";
      button.textContent = "Last third of the epochs";
      button.addEventListener("click", () => { state.late = !state.late; show(); });
      const tools = document.createElement("p");
      tools.className = "tools";
      tools.append(button);
      part.prepend(tools);
      show();
    };
    // Values of all lines at an epoch, by the pointer or the arrow keys; names of a legend switch lines.
    const chart = figure => {
      const data = JSON.parse(figure.dataset.course);
      const state = look(figure, data.name);
      const said = document.createElement("output");
      said.className = "values small";
      figure.append(said);
      const words = (plot, epoch) => {
        const values = plot.lines.flatMap((line, place) => {
          const value = line.values.split(",")[Math.floor((epoch - 1) / data.step)];
          return value && !state.off.has(place) ? [(line.name ? line.name + " " : "") + value] : [];
        });
        return `${plot.title ? plot.title + ", " : ""}epoch ${epoch}: ${values.join(", ") || "no value"}`;
      };
      const show = () => {
        for (const part of figure.querySelectorAll("[data-line]")) {
          const isOff = state.off.has(Number(part.dataset.line));
          if (part.classList.contains("key")) {
            part.setAttribute("aria-pressed", !isOff);
            part.classList.toggle("off", isOff);
          } else part.toggleAttribute("hidden", isOff);
        }
        figure.querySelectorAll("line.at").forEach(line => line.remove());
        said.textContent = "";
        if (state.epoch === null) return;
        for (const pick of figure.querySelectorAll(".pick")) {
          const [first, last] = ["first", "last"].map(name => Number(pick.ownerSVGElement.dataset[name]));
          const epoch = Math.min(last, Math.max(first, state.epoch));
          const [x, y, width, height] = ["x", "y", "width", "height"].map(name => Number(pick.getAttribute(name)));
          const plot = data.plots[pick.dataset.plot];
          pick.setAttribute("aria-valuenow", epoch);
          pick.setAttribute("aria-valuetext", words(plot, epoch));
          if (Number(pick.dataset.plot) !== state.plot) continue;
          const line = document.createElementNS(pick.namespaceURI, "line");
          const place = last > first ? x + (epoch - first) * width / (last - first) : x + width / 2;
          const ends = { class: "at", x1: place, x2: place, y1: y, y2: y + height };
          for (const name in ends) line.setAttribute(name, ends[name]);
          pick.before(line);
          if (!pick.ownerSVGElement.hasAttribute("hidden")) said.textContent = words(plot, epoch);
        }
      };
      const at = (pick, epoch) => {
        const [first, last] = ["first", "last"].map(name => Number(pick.ownerSVGElement.dataset[name]));
        state.plot = Number(pick.dataset.plot);
        state.epoch = epoch === null ? null : Math.min(last, Math.max(first, epoch));
        show();
      };
      for (const drawing of figure.querySelectorAll("svg[data-first]")) {
        // What is in a picture cannot be reached; what is in a group can.
        drawing.setAttribute("role", "group");
        if (!drawing.hasAttribute("aria-label")) {
          drawing.setAttribute("aria-label", drawing.querySelector("title")?.textContent ?? data.name);
        }
      }
      for (const pick of figure.querySelectorAll(".pick")) {
        const { first, last } = pick.ownerSVGElement.dataset;
        const { title } = data.plots[pick.dataset.plot];
        const facts = { role: "slider", tabindex: 0, "aria-label": `Values by epoch: ${title || data.name}`,
          "aria-valuemin": first, "aria-valuemax": last, "aria-valuenow": last };
        for (const name in facts) pick.setAttribute(name, facts[name]);
        pick.addEventListener("pointermove", event => {
          const place = new DOMPoint(event.clientX, event.clientY)
            .matrixTransform(pick.ownerSVGElement.getScreenCTM().inverse());
          const share = (place.x - pick.getAttribute("x")) / pick.getAttribute("width");
          at(pick, Math.round(Number(first) + share * (last - first)));
        });
        pick.addEventListener("pointerleave", () => { if (!state.isHeld) at(pick, null); });
        pick.addEventListener("focus", () => { state.isHeld = true; at(pick, state.epoch ?? Number(last)); });
        pick.addEventListener("blur", () => { state.isHeld = false; at(pick, null); });
        pick.addEventListener("keydown", event => {
          const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10,
            Home: -Infinity, End: Infinity };
          if (!(event.key in steps)) return;
          event.preventDefault();
          at(pick, (state.epoch ?? Number(last)) + steps[event.key]);
        });
      }
      for (const key of figure.querySelectorAll(".key")) {
        const place = Number(key.dataset.line);
        const facts = { role: "button", tabindex: 0, "aria-label": data.plots[0].lines[place].name };
        for (const name in facts) key.setAttribute(name, facts[name]);
        const toggle = () => { if (!state.off.delete(place)) state.off.add(place); show(); };
        key.addEventListener("click", toggle);
        key.addEventListener("keydown", event => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          toggle();
        });
      }
      show();
      // A part that was fetched anew under the reader's keys.
      if (state.isHeld) {
        figure.querySelector(`svg:not([hidden]) .pick[data-plot="${state.plot}"]`)?.focus({ preventScroll: true });
      }
    };
    const sorted = new Map();
    const wire = root => {
      // Widths are set here, because the page's policy allows no style in an attribute.
      for (const part of root.querySelectorAll("[data-flex]")) part.style.flex = part.dataset.flex;
      for (const table of root.querySelectorAll("table.sortable")) {
        const name = table.id || table.closest("section")?.id;
        [...table.tHead.rows[0].cells].forEach((head, column) => {
          head.querySelector("button")?.addEventListener("click", () => {
            const isNumber = [...table.tBodies[0].rows].some(row => row.cells[column].dataset.v !== undefined);
            const before = head.getAttribute("aria-sort");
            const next = before === null ? (isNumber ? "descending" : "ascending")
              : before === "ascending" ? "descending" : "ascending";
            sort(table, column, next);
            sorted.set(name, [column, next]);
          });
        });
        // A table that was fetched anew stays as the reader sorted it.
        if (sorted.has(name)) sort(table, ...sorted.get(name));
      }
      for (const input of root.querySelectorAll("input[data-filters]")) {
        const table = document.getElementById(input.dataset.filters);
        const count = input.parentElement.querySelector("output");
        let rows;
        input.addEventListener("input", () => {
          complete(table);
          rows ??= [...table.tBodies[0].rows].map(row => [row, row.textContent.toLowerCase()]);
          const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
          let shown = 0;
          for (const [row, text] of rows) {
            row.hidden = !words.every(word => text.includes(word));
            if (!row.hidden) shown += 1;
          }
          if (count) count.textContent = words.length ? `${shown} of ${rows.length}` : "";
        });
      }
      for (const part of root.querySelectorAll("[data-zoom]")) zoom(part);
      for (const figure of root.querySelectorAll("[data-course]")) chart(figure);
      for (const button of root.querySelectorAll("button[data-copies]")) {
        button.addEventListener("click", async () => {
          const text = document.getElementById(button.dataset.copies);
          try { await navigator.clipboard.writeText(text.textContent); button.textContent = "Copied"; }
          catch { getSelection().selectAllChildren(text); }
        });
      }
    };
    wire(document);
    const root = document.documentElement;
    // A browser may refuse to keep anything; the page is then as its surroundings are.
    const kept = { get theme() { try { return localStorage.getItem("mtkd-sweep-theme"); } catch { return null; } },
      set theme(word) { try { localStorage.setItem("mtkd-sweep-theme", word); } catch { /* Not kept. */ } } };
    if (["light", "dark"].includes(kept.theme)) root.dataset.theme = kept.theme;
    document.getElementById("theme")?.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = kept.theme = dark ? "light" : "dark";
    });
    for (const group of document.querySelectorAll("details[data-holds]")) {
      group.addEventListener("toggle", () => { if (group.open) unfold(group); });
    }
    const find = name => {
      const target = document.getElementById(name);
      if (target || !name.startsWith("r-")) return target;
      for (const group of document.querySelectorAll("details[data-holds]")) {
        const rest = document.getElementById(group.dataset.holds);
        if (rest && rest.textContent.includes(`id="${name}"`)) { unfold(group); return document.getElementById(name); }
      }
      return null;
    };
    const open = () => {
      const target = location.hash && find(location.hash.slice(1));
      const fold = target && target.closest("details");
      if (!fold) return;
      for (let at = fold; at; at = at.parentElement.closest("details")) at.open = true;
      target.scrollIntoView({ block: "center" });
    };
    addEventListener("hashchange", open);
    open();
    const all = () => document.querySelectorAll("script[data-rows]").forEach(rest => complete(document.getElementById(rest.dataset.rows)));
    addEventListener("beforeprint", all);
    addEventListener("load", () => setTimeout(all, 200));
    """#

  /// For pages of `serve`: parts with `data-live` hold what their address gives, fetched anew when the server
  /// says that something changed; those with `data-work` also when workers went on.
  package static let live =
    report + #"""

      const lamp = document.getElementById("lamp");
      const busy = new Set();
      const refresh = async part => {
        if (busy.has(part)) { part.dataset.again = ""; return; }
        busy.add(part);
        try {
          const search = part.dataset.search ? document.getElementById(part.dataset.search).value : "";
          // What the reader searches, sorts by and turns to; the server applies it to all that there is.
          const query = new URLSearchParams(part.dataset.query || "");
          if (part.dataset.search) { if (search) query.set("q", search); else query.delete("q"); }
          const address = part.dataset.live + (query.size ? "?" + query : "");
          const answer = await fetch(address, { credentials: "same-origin" });
          if (answer.ok) {
            const text = await answer.text();
            if (part.lastText !== text) { 
              part.innerHTML = part.lastText = text; wire(part);
              for (const box of part.querySelectorAll("input[data-pick]")) box.checked = picked.has(box.value);
            }
          }
        } catch { /* The stream of events says when the server is back. */ }
        busy.delete(part);
        if (part.dataset.again !== undefined) { delete part.dataset.again; refresh(part); }
      };
      // Runs whose curves are drawn over each other, whatever page of the list they stand on.
      const picked = new Set();
      const overlay = document.querySelector("[data-overlay]");
      document.addEventListener("change", event => {
        const box = event.target.closest("input[data-pick]");
        if (!box || !overlay) return;
        if (box.checked) picked.add(box.value); else picked.delete(box.value);
        overlay.dataset.query = picked.size ? "runs=" + [...picked].join(",") : "";
        refresh(overlay);
      });
      const parts = selector => document.querySelectorAll(selector).forEach(refresh);
      for (const part of document.querySelectorAll("[data-search]")) {
        let pause;
        document.getElementById(part.dataset.search).addEventListener("input", () => {
          clearTimeout(pause);
          pause = setTimeout(() => {
            const query = new URLSearchParams(part.dataset.query || "");
            query.delete("page");
            part.dataset.query = query.toString();
            refresh(part);
          }, 150);
        });
        part.addEventListener("click", event => {
          const link = event.target.closest("a[data-query]");
          if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          part.dataset.query = link.dataset.query;
          refresh(part);
        });
      }
      const events = new EventSource("/events");
      const say = (tone, text) => { lamp.className = "dot " + tone; lamp.textContent = text; };
      events.addEventListener("change", () => parts("[data-live]"));
      events.addEventListener("work", () => parts("[data-live][data-work]"));
      events.addEventListener("open", () => { say("finished", "live"); parts("[data-live]"); });
      events.addEventListener("error", () => say("blocked", "waiting for the server"));
      """#
}
