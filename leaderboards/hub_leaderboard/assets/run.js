"use strict";
// Shows samples, a page of them at a time. Whatever a model wrote becomes a text node, never HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const samples = data.samples;
  const at = (id) => document.getElementById(id);
  const list = at("samples");
  const SIZE = 50;
  const state = { q: "", only: "all", category: "", sort: "row", page: 0 };
  let chosen = [];
  let open = ""; // the sample that the address names

  const make = (tag, text, name) => {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (name) element.className = name;
    return element;
  };
  const number = (value) => (value === null ? "" : String(Math.round(value * 1000) / 1000));
  const plain = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? String(value));
  const key = (sample) => `${sample.row}.${sample.sample}`;

  const block = (title, text) => {
    const shown = make("pre", text, text === "" ? "empty" : "");
    shown.dir = "auto";
    shown.tabIndex = 0;
    return [make("h3", title), shown];
  };

  const messages = (prompt) => {
    if (!Array.isArray(prompt)) return block("prompt", plain(prompt));
    return prompt.flatMap((message) => {
      const known = message !== null && typeof message === "object" && "content" in message;
      return known ? block(`prompt, ${plain(message.role ?? "?")}`, plain(message.content)) : block("prompt", plain(message));
    });
  };

  const scores = (sample) => {
    const table = make("table");
    const head = table.createTHead().insertRow();
    for (const title of ["reward", "value", "outcome", "reason", "more"]) head.append(make("th", title));
    const body = table.createTBody();
    for (const [name, score] of [["score", sample.total], ...Object.entries(sample.scores)]) {
      const row = body.insertRow();
      const value = score.value === null || score.value === undefined ? "" : String(score.value);
      const more = score.info && Object.keys(score.info).length ? JSON.stringify(score.info) : "";
      const reason = [score.reason, score.detail].filter(Boolean).join(": ");
      for (const text of [name, value, score.outcome, reason, more]) row.append(make("td", plain(text ?? ""), "path"));
      row.cells[1].className = "number";
    }
    return table;
  };

  const inside = (sample) => {
    const box = make("div", undefined, "inside");
    box.append(...messages(sample.prompt), ...block("completion", plain(sample.completion)));
    const facts = [];
    if (sample.finish !== "unknown") facts.push(`ended by ${sample.finish ?? "?"}`);
    if (sample.tokens !== null) facts.push(`${sample.tokens} tokens`);
    if (sample.answer !== null) facts.push(`answer found: ${sample.answer}`);
    box.append(make("p", facts.join(" · "), "note"), make("h3", "scores"), scores(sample));
    for (const [name, value] of Object.entries(sample.columns)) box.append(...block(name, plain(value)));
    const foot = make("p", undefined, "note");
    const link = make("a", "link to this sample");
    link.href = `#sample=${key(sample)}`;
    foot.append(link);
    for (const peer of data.peers) {
      const other = make("a", peer.model);
      other.href = `${encodeURI(peer.page)}#sample=${key(sample)}`;
      foot.append(peer === data.peers[0] ? " · the same prompt by " : ", ", other);
    }
    box.append(foot);
    return box;
  };

  const line = (sample) => {
    const details = make("details", undefined, "sample");
    details.id = `sample-${key(sample)}`;
    const head = make("summary");
    const title = data.several ? `${sample.id} #${sample.sample + 1}` : String(sample.id);
    const kind = sample.kind;
    const value = sample.total.value ?? null;
    const last = plain(sample.completion).trim().replace(/\s+/g, " ");
    head.append(
      make("span", title),
      make("span", kind === "lost" ? "failed" : kind, `outcome ${kind}`),
      make("span", number(value), "number"),
      make("span", kind === "lost" ? sample.total.reason : sample.answer ?? ""),
      make("span", last.slice(0, 200), "dim"),
    );
    details.append(head);
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(inside(sample));
    });
    return details;
  };

  const found = (sample) => {
    if (state.only === "cut" ? sample.finish !== "length" : state.only !== "all" && sample.kind !== state.only) return false;
    if (state.category && sample.category !== state.category) return false;
    if (!state.q) return true;
    sample.text ??= [sample.id, plain(sample.prompt), plain(sample.completion), sample.answer ?? ""].join("\n").toLowerCase();
    return sample.text.includes(state.q.toLowerCase());
  };

  const value = (sample) => sample.total.value ?? -Infinity;
  const orders = {
    row: (a, b) => a.row - b.row || a.sample - b.sample,
    low: (a, b) => value(a) - value(b) || orders.row(a, b),
    high: (a, b) => value(b) - value(a) || orders.row(a, b),
    long: (a, b) => (b.tokens ?? 0) - (a.tokens ?? 0) || orders.row(a, b),
    short: (a, b) => (a.tokens ?? 0) - (b.tokens ?? 0) || orders.row(a, b),
  };

  const show = () => {
    const pages = Math.max(1, Math.ceil(chosen.length / SIZE));
    state.page = Math.min(Math.max(0, state.page), pages - 1);
    const from = state.page * SIZE;
    const shown = chosen.slice(from, from + SIZE);
    list.replaceChildren(...shown.map(line));
    const many = chosen.length === samples.length ? "" : ` of ${samples.length}`;
    at("found").textContent = chosen.length
      ? `${from + 1}–${from + shown.length} of ${chosen.length}${many ? ` (${samples.length} in all)` : ""}`
      : `none of ${samples.length} samples fits`;
    at("back").disabled = state.page === 0;
    at("on").disabled = state.page >= pages - 1;
    at("page").textContent = `page ${state.page + 1} of ${pages}`;
    const wanted = open && at(`sample-${open}`);
    if (wanted) {
      wanted.open = true;
      wanted.scrollIntoView({ block: "start" });
      wanted.querySelector("summary").focus();
    }
  };

  const choose = () => {
    chosen = samples.filter(found).sort(orders[state.sort]);
    state.page = 0;
    open = "";
    show();
  };

  const follow = () => {
    open = new URLSearchParams(location.hash.slice(1)).get("sample") ?? "";
    const place = chosen.findIndex((sample) => key(sample) === open);
    if (place < 0) return open === "" ? undefined : reset();
    state.page = Math.floor(place / SIZE);
    show();
  };

  const reset = () => {
    if (!samples.some((sample) => key(sample) === open)) return;
    Object.assign(state, { q: "", only: "all", category: "", sort: "row" });
    for (const name of ["q", "only", "category", "sort"]) at(name).value = state[name];
    chosen = samples.slice().sort(orders.row);
    follow();
  };

  let waiting;
  at("q").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      state.q = at("q").value;
      choose();
    }, 120);
  });
  for (const name of ["only", "category", "sort"]) {
    at(name).addEventListener("change", () => {
      state[name] = at(name).value;
      choose();
    });
  }
  const turn = (by) => {
    open = "";
    state.page += by;
    show();
    at("tools").scrollIntoView();
  };
  at("back").addEventListener("click", () => turn(-1));
  at("on").addEventListener("click", () => turn(1));
  window.addEventListener("hashchange", follow);
  at("tools").hidden = false;
  choose();
  follow();
})();
