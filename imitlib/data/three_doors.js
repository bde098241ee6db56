// Loaf Street's three doors, played in the page. playing.py puts in the id of the element
// and what is given: for every set of doors that may be left (a number, bit i for door i)
// and every state, what the other does, and what Hana would do for each door.
(() => {
  const box = document.getElementById(BOX), given = GIVEN, n = given.cells.length;
  const part = name => box.querySelector("." + name), all = 7, gone = 2 * n;
  const spans = [...part("town").children], columns = given.rows[0].length;
  const SHARES = { 1: "1", 2: "1/2", 3: "1/3" };
  let state, left, door, worth, trail, went, spot, words;

  const me = () => part("who").selectedIndex ? "Rollo" : "Hana";
  const how = () => part("how").selectedIndex ? "plain" : "lesson";
  const rule = () => given.rules[how()][left][state];
  const asked = () => state >= n && state < gone;
  const cell = () => given.cells[state % n];
  const size = set => [0, 1, 2].filter(i => set >> i & 1).length;
  const said = tenths => (tenths < 0 ? "−" : "") + (Math.abs(tenths) / 10).toFixed(1);

  // Both move at once; then both see the moves.
  const step = (hers, his) => {
    const hears = [0, 1, 2].reduce((set, i) =>
      set | (left >> i & 1 && rule()[i] === String(hers) ? 1 << i : 0), 0);
    worth += given.tenths[state][hers][his][door];
    const her = asked() ? `Hana says “door ${hers + 1}”` :
      given.moves[hers] === "wait" ? "Hana waits" : `Hana goes ${given.moves[hers]}`;
    words = `${her}; Rollo ${his === 0 ? asked() ? "listens" : "waits" :
      his === 1 ? "asks" : `sets off to door ${his - 1}`}. `;
    if (his > 1) {
      trail.add(given.next[state][hers]);
      spot = given.cells[given.next[state][hers]];
      state = gone;
      went = his - 2;
      words += (went === door ? "That is the one. " :
        `It was door ${door + 1}. `) +
        `What is left of both ways is paid at once. Together: ${said(worth)}. ` +
        (how() === "lesson" ? "By the agreement" : "With a plain Hana and her best Rollo") +
        ` it would be ${said(given.best[how()][door])}; ` +
        `had Rollo known from the start, ${said(given.told[door])}.`;
      return;
    }
    if (!hears) words += "For no door was that to be expected, so it tells Rollo nothing. ";
    left = hears || left;
    if (asked()) { state -= n; return; }
    state = given.next[state][hers];
    trail.add(state);
    if (his === 1) state += n;
  };

  const moves = () => {  // [label, number] of what the reader may do
    if (state === gone) return [];
    if (me() === "Rollo") return asked() ? [["listen", 0]] : given.acts.map((x, i) => [x, i]);
    if (asked()) return [0, 1, 2].map(i => [`“door ${i + 1}”`, i]);
    return given.moves.map((x, i) => [x, i]).filter(([, i]) => given.next[state][i] >= 0);
  };

  const choose = number => {
    if (me() === "Hana") step(number, Number(given.robot[how()][left][state]));
    else step(Number(rule()[door]), number);
    draw();
  };

  const draw = () => {
    const over = state === gone, known = over || me() === "Hana";
    const here = over ? spot : cell();
    spans.forEach((span, i) => {
      const r = Math.floor(i / columns), c = i % columns, sign = given.rows[r][c];
      const hana = here[0] === r && here[1] === c;
      const kinds = { house: sign === "#", garden: sign === "*",
        trodden: [...trail].some(k => given.cells[k][0] === r && given.cells[k][1] === c),
        today: known && sign === String(door + 1), hana };
      span.className = Object.keys(kinds).filter(kind => kinds[kind]).join(" ");
      const rollo = over ? sign === String(went + 1) : sign === "B";
      span.textContent = (hana ? "H" : "#.".includes(sign) ? "" : sign) + (rollo ? "◆" : "");
    });
    part("town").setAttribute("aria-label", "Loaf Street from above. " +
      `Hana is in row ${here[0] + 1}, column ${here[1] + 1}, Rollo ` +
      (over ? `at door ${went + 1}. ` : "in the bakery. ") +
      (known ? `Today it is door ${door + 1}.` : "Which door it is, only Hana knows."));
    part("belief").replaceChildren(...[0, 1, 2].flatMap(i => {
      const may = left >> i & 1, row = ["span", "i", "span", "span"]
        .map(kind => document.createElement(kind));
      row[0].textContent = `door ${i + 1}`;
      row[1].style.setProperty("--share", may ? 100 / size(left) + "%" : "0%");
      row[2].textContent = may ? SHARES[size(left)] : "0";
      row[3].textContent = over || !may ? "" : "if so: " + (asked() ?
        `“door ${Number(rule()[i]) + 1}”` : given.moves[rule()[i]]);
      return row;
    }));
    const group = part("moves"), focused = group.contains(document.activeElement);
    group.replaceChildren(...moves().map(([label, number]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.move = number;
      button.textContent = label;
      button.addEventListener("click", () => choose(number));
      return button;
    }));
    if (focused) (group.firstChild || part("again")).focus();
    part("said").textContent = words + (over || !worth ? "" : `So far: ${said(worth)}.`);
    part("door").closest("label").hidden = me() === "Rollo";
  };

  const begin = () => {
    state = given.start;
    left = all;
    worth = 0;
    trail = new Set();
    door = me() === "Rollo" ? Math.floor(3 * Math.random()) : part("door").selectedIndex;
    words = me() === "Rollo" ? "Only Hana knows the door. You both move at once. Wait, ask, or set off." :
      "Only you know the door. You both move at once. Make a move.";
    draw();
  };

  ["who", "how", "door"].forEach(kind => part(kind).addEventListener("change", begin));
  part("again").addEventListener("click", begin);
  begin();
  box.querySelectorAll("[disabled]").forEach(one => { one.disabled = false; });
})();
