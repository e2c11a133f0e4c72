// Sorts a table by the column whose heading is pressed; without it the table stays as it was made.
const plain = (cell) => [...cell.childNodes].filter((node) => node.nodeName !== "SMALL");
const read = (row, column) =>
  plain(row.cells[column]).map((node) => node.textContent).join("").trim().replace(/\u2212/g, "-");
const number = (text) => (/^[<+-]?\s*\d/.test(text) ? parseFloat(text.replace(/^[<+]\s*/, "")) : NaN);

function sort(table, column, rising) {
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
  const texts = new Map(rows.map((row) => [row, read(row, column)]));
  const absent = (row) => texts.get(row).startsWith("\u2013");
  const present = rows.filter((row) => !absent(row));
  const numeric = present.every((row) => !Number.isNaN(number(texts.get(row))));
  present.sort((a, b) => {
    const [one, other] = [texts.get(a), texts.get(b)];
    const order = numeric ? number(one) - number(other) : one.localeCompare(other, "en", { numeric: true });
    return rising ? order : -order;
  });
  table.tBodies[0].append(...present, ...rows.filter(absent));
}

for (const table of document.querySelectorAll("table.lines")) {
  if (table.querySelectorAll("tbody tr").length < 3) continue;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const rising = before ? before === "descending" : !head.classList.contains("number");
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      sort(table, column, rising);
    });
  });
}
