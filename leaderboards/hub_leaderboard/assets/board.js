"use strict";
// Sorts the table by a column and hides models that a search does not find.
(() => {
  const table = document.getElementById("ranking");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];

  const compare = (at, down) => (a, b) => {
    const [x, y] = [a, b].map((row) => row.cells[at].dataset.value ?? "");
    if (x === "" || y === "") return (x === "") - (y === ""); // without a value: last, whatever the direction
    const numbers = heads[at].dataset.kind === "number";
    const order = numbers ? Number(x) - Number(y) : x.localeCompare(y);
    return down ? -order : order;
  };

  const sort = (at) => {
    const now = heads[at].getAttribute("aria-sort");
    const first = heads[at].dataset.first; // what a first click gives: best values first
    const direction = now === null ? first : now === "ascending" ? "descending" : "ascending";
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[at].setAttribute("aria-sort", direction);
    body.append(...rows.slice().sort(compare(at, direction === "descending")));
  };

  heads.forEach((head, at) => head.querySelector("button")?.addEventListener("click", () => sort(at)));

  const search = document.getElementById("search");
  const said = document.getElementById("found");
  const tools = document.getElementById("tools");
  tools.hidden = !("many" in tools.dataset);
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.dataset.name.toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    said.textContent = `${shown} of ${rows.length} models`;
  });
})();
