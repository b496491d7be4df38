"use strict";
// A click, Enter or Space on a column's button sorts by it; a second one turns the order around.
function value(row, column) {
  const raw = row.cells[column].dataset.sort;
  const number = Number(raw);
  return raw === "" || Number.isNaN(number) ? raw : number;
}
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -1 : 1;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = Array.from(table.tBodies[0].rows);
      rows.sort((a, b) => (up ? 1 : -1) * compare(value(a, column), value(b, column)));
      table.tBodies[0].append(...rows);
    });
  });
}
const filter = document.getElementById("filter");
const told = document.getElementById("filtered");
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of document.querySelectorAll("#all tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  told.textContent = words.length ? `${shown} rows` : "";
});
function open() {
  const own = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (own && own.tagName === "DETAILS") own.open = true;
}
addEventListener("hashchange", open);
open();
