"use strict";
// Sorts and filters the tables of the report. Without it every page can still be read.

// Numbers stand in data-value; a value that is not defined is empty and comes last.
function sortKey(row, column) {
  const cell = row.cells[column];
  const text = "value" in cell.dataset ? cell.dataset.value : cell.textContent.trim();
  const number = Number(text);
  return { missing: text === "", number: Number.isNaN(number) ? null : number, text };
}

function compare(one, other, direction) {
  if (one.missing || other.missing) {
    return one.missing - other.missing;
  }
  if (one.number !== null && other.number !== null) {
    return direction * (one.number - other.number);
  }
  return direction * one.text.localeCompare(other.text);
}

function sortBy(table, heading) {
  const headings = Array.from(heading.parentElement.cells);
  const column = headings.indexOf(heading);
  const first = "falling" in heading.dataset ? "descending" : "ascending";
  const second = first === "ascending" ? "descending" : "ascending";
  const order = heading.getAttribute("aria-sort") === first ? second : first;
  const direction = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, key: sortKey(row, column) }));
  rows.sort((one, other) => compare(one.key, other.key, direction));
  body.append(...rows.map((entry) => entry.row));
  headings.forEach((other) => other.setAttribute("aria-sort", other === heading ? order : "none"));
}

function filterRows(form, table) {
  const words = form.querySelector("[data-search]").value.toLowerCase().split(/\s+/).filter(Boolean);
  const choices = Array.from(form.querySelectorAll("[data-choice]"))
    .filter((select) => select.value !== "");
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const fits = words.every((word) => row.dataset.search.includes(word))
      && choices.every((select) => row.dataset[select.dataset.choice] === select.value);
    row.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  for (const point of document.querySelectorAll("[data-row]")) {
    const row = document.getElementById(point.dataset.row);
    point.classList.toggle("out", row !== null && row.hidden);
  }
  const total = table.tBodies[0].rows.length;
  form.querySelector("[data-count]").textContent = `${shown} of ${total} rows`;
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.tHead.rows[0].cells) {
    heading.querySelector("button").addEventListener("click", () => sortBy(table, heading));
  }
}
for (const form of document.querySelectorAll("form[data-filters]")) {
  const table = document.getElementById(form.dataset.filters);
  form.hidden = false;
  for (const kind of ["input", "change"]) {
    form.addEventListener(kind, () => filterRows(form, table));
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  filterRows(form, table);
}
