/// What pages do by themselves: sort, filter, copy, open the run that a link names; live pages fetch their parts anew. A page without scripts loses
/// that, and the runs beyond the first hundreds.
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

  /// For pages of `serve`: parts with `data-live` hold what their address gives, fetched anew when the server says that something changed;
  /// those with `data-work` also when workers went on.
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
