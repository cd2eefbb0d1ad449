// Makes the tables marked "sortable" sort by a click on a column's head. Without it they are plain tables.
// A row of class "question" leads its tbody: rows sort below it, and the bodies sort by it.
"use strict";
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function key(row, column, numeric) {
  const text = (row.cells[column]?.textContent ?? "").trim();
  const value = numeric ? parseFloat(text) : text;
  return value === "" || Number.isNaN(value) ? null : value;
}

function sorted(items, row, column, numeric, sign) {
  const keyed = items.map((item) => [key(row(item), column, numeric), item]);
  keyed.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null); // what is empty stays at the end
    return sign * (numeric ? a - b : collator.compare(a, b));
  });
  return keyed.map(([, item]) => item);
}

function sort(table, head) {
  const ascending = head.getAttribute("aria-sort") !== "ascending";
  const by = [head.cellIndex, head.classList.contains("num"), ascending ? 1 : -1];
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => !row.classList.contains("question"));
    body.append(...sorted(rows, (row) => row, ...by));
  }
  if (table.tBodies.length > 1) table.append(...sorted([...table.tBodies], (body) => body.rows[0], ...by));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
}
