/// What pages do by themselves: sort, filter, copy, open the run that a link names. A page without scripts loses nothing but that.
enum PageScript {
  static let report = #"""
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
    for (const table of document.querySelectorAll("table.sortable")) {
      const heads = [...table.tHead.rows[0].cells];
      heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
        const isNumber = [...table.tBodies[0].rows].some(row => row.cells[column].dataset.v !== undefined);
        const before = head.getAttribute("aria-sort");
        const next = before === null ? (isNumber ? "descending" : "ascending")
          : before === "ascending" ? "descending" : "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", next);
        const rows = [...table.tBodies[0].rows].map(row => [value(row.cells[column]), row]);
        rows.sort((a, b) => order(a[0], b[0], next === "ascending" ? 1 : -1));
        table.tBodies[0].append(...rows.map(pair => pair[1]));
      }));
    }
    for (const input of document.querySelectorAll("input[data-filters]")) {
      const body = document.getElementById(input.dataset.filters).tBodies[0];
      const rows = [...body.rows].map(row => [row, row.textContent.toLowerCase()]);
      const count = input.parentElement.querySelector("output");
      input.addEventListener("input", () => {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        let shown = 0;
        for (const [row, text] of rows) {
          row.hidden = !words.every(word => text.includes(word));
          if (!row.hidden) shown += 1;
        }
        if (count) count.textContent = words.length ? `${shown} of ${rows.length}` : "";
      });
    }
    for (const button of document.querySelectorAll("button[data-copies]")) {
      button.addEventListener("click", async () => {
        const text = document.getElementById(button.dataset.copies).textContent;
        try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; }
        catch { getSelection().selectAllChildren(document.getElementById(button.dataset.copies)); }
      });
    }
    const root = document.documentElement;
    document.getElementById("theme")?.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
    });
    const open = () => {
      const target = location.hash && document.getElementById(location.hash.slice(1));
      const fold = target && target.closest("details");
      if (!fold) return;
      for (let at = fold; at; at = at.parentElement.closest("details")) at.open = true;
      target.scrollIntoView({ block: "center" });
    };
    addEventListener("hashchange", open);
    open();
    """#
}
