// A street plan that the reader draws, and a learned search that spreads on it.
// drawing.py puts in the id of the element, and what is given: the network's weights,
// the plans, and the frame that the page shows before this script has run.
(() => {
  const box = document.getElementById(BOX), given = GIVEN, side = given.side;
  const grid = box.querySelector(".board"), said = box.querySelector(".said");
  const cells = [...grid.querySelectorAll("button")];  // the inner cells, row by row
  const UNVISITED = 4, OFFSETS = [[-1, 0], [0, 1], [1, 0], [0, -1]];
  const ARROWS = "↑→↓←", WORDS = ["north", "east", "south", "west"];
  let walls, goal, rollo, learned, search, step, fresh, walk, timer = null;

  const inside = (r, c) => r >= 0 && c >= 0 && r < side && c < side;
  const at = (r, c) => r * side + c;
  const all = value => new Array(side * side).fill(value);
  const beside = (cell, action) => {
    const r = Math.floor(cell / side) + OFFSETS[action][0];
    const c = cell % side + OFFSETS[action][1];
    return inside(r, c) ? at(r, c) : -1;
  };

  // The network: one 3×3 layer, then each cell for itself. Planes: houses, door, and
  // one for each label of the frame.
  const ask = frame => frame.map((_, cell) => {
    const r = Math.floor(cell / side), c = cell % side;
    const hidden = given.bias1.slice();
    for (let i = -1; i <= 1; i++) for (let j = -1; j <= 1; j++) {
      if (!inside(r + i, c + j)) continue;
      const there = at(r + i, c + j), tap = 3 * (i + 1) + j + 1;
      const planes = [2 + frame[there]];
      if (walls[there]) planes.push(0);
      if (there === goal) planes.push(1);
      for (const plane of planes)
        hidden.forEach((_, k) => { hidden[k] += given.weight1[k][plane][tap]; });
    }
    const out = given.bias2.map((bias, label) => hidden.reduce(
      (sum, h, k) => sum + Math.max(h, 0) * given.weight2[label][k], bias));
    return out.indexOf(Math.max(...out));
  });

  // The search itself: a ring further, the first of north, east, south, west.
  const ring = frame => frame.map((label, cell) => {
    if (label !== UNVISITED || walls[cell] || cell === goal) return label;
    for (let action = 0; action < 4; action++) {
      const next = beside(cell, action);
      if (next === goal || (next >= 0 && frame[next] !== UNVISITED)) return action;
    }
    return UNVISITED;
  });

  const route = () => {  // Rollo follows the arrows, from where it stands
    const way = [rollo];
    while (way.at(-1) !== goal && way.length <= side * side) {
      const label = learned[way.at(-1)];
      const next = label === UNVISITED ? -1 : beside(way.at(-1), label);
      if (next < 0 || walls[next] || way.includes(next)) break;
      way.push(next);
    }
    return way;
  };

  const blank = () => {
    learned = all(UNVISITED);
    search = all(UNVISITED);
    step = 0;
    fresh = new Set();
    walk = null;
  };

  const load = name => {
    const rows = given.plans[name].split("\n"), signs = rows.join("");
    walls = [...signs].map(sign => sign === "#");
    goal = signs.indexOf("G");
    rollo = signs.indexOf("R");
    blank();
  };

  const forward = () => {
    const before = learned;
    learned = ask(before);
    search = ring(search);
    fresh = new Set(learned.map((x, cell) => x !== before[cell] ? cell : -1));
    step += 1;
    const going = learned.some((x, cell) => x !== before[cell]) && step < side * side;
    if (!going) walk = route();
    return going;
  };

  const sentence = () => {
    const open = learned.filter((x, cell) => x !== UNVISITED && !walls[cell]).length;
    const off = learned.filter((x, cell) => x !== search[cell]).length;
    const agree = off ? `${off} differ from the search itself.`
      : "Every cell is as the search itself would write it.";
    const words = step ? `After ${step} ${step === 1 ? "step" : "steps"} ${open} cells ` +
      `have an arrow. ${agree}` : "Nothing is written yet. Step, or run.";
    if (!walk) return words;
    return words + (walk.at(-1) === goal ?
      ` Nothing changes any more: Rollo walks ${walk.length - 1} steps to the door.` :
      " Nothing changes any more, and the arrows do not lead Rollo to the door.");
  };

  const draw = () => {
    const way = new Set(walk || []);
    cells.forEach(button => {
      const cell = Number(button.dataset.cell), label = learned[cell];
      const arrow = label === UNVISITED ? "" : ARROWS[label];
      const wrong = label !== search[cell];
      button.textContent = (cell === goal ? "★" : cell === rollo ? "◆" : "") +
        (walls[cell] && !wrong ? "" : arrow) + (wrong ? "!" : "");
      const kinds = { wall: walls[cell], goal: cell === goal, fresh: fresh.has(cell),
        way: way.has(cell), wrong };
      button.className = Object.keys(kinds).filter(kind => kinds[kind]).join(" ");
      button.setAttribute("aria-label",
        `row ${Math.floor(cell / side)}, column ${cell % side}: ` +
        (cell === goal ? "the door" : walls[cell] ? "house" : "street") +
        (cell === rollo ? ", Rollo" : "") +
        (label === UNVISITED ? "" : `, arrow ${WORDS[label]}`) +
        (wrong ? ", not what the search writes" : ""));
    });
    said.textContent = sentence();
    box.dataset.step = step;
  };

  const stop = () => { clearInterval(timer); timer = null; };
  const run = () => {
    stop();
    if (walk) blank();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      while (forward());
      return draw();
    }
    timer = setInterval(() => { if (!forward()) stop(); draw(); }, 220);
  };

  const touch = cell => {
    const what = box.querySelector("input[type=radio]:checked").value;
    if (what === "house" && cell !== goal && cell !== rollo) walls[cell] = !walls[cell];
    if (what === "door" && !walls[cell] && cell !== rollo) goal = cell;
    if (what === "rollo" && !walls[cell] && cell !== goal) rollo = cell;
    stop();
    blank();
    draw();
  };

  cells.forEach(button => button.addEventListener("click", () => {
    cells.forEach(other => { other.tabIndex = other === button ? 0 : -1; });
    touch(Number(button.dataset.cell));
  }));
  grid.addEventListener("keydown", event => {  // arrow keys walk from cell to cell
    const keys = ["ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft"];
    const action = keys.indexOf(event.key);
    if (action < 0) return;
    const next = beside(Number(event.target.dataset.cell), action);
    const button = cells.find(other => Number(other.dataset.cell) === next);
    event.preventDefault();
    if (!button) return;
    event.target.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
  });
  box.querySelector("select").addEventListener("change", event => {
    stop();
    load(event.target.value);
    draw();
  });
  box.querySelector(".step").addEventListener("click", () => {
    stop();
    if (walk) blank(); else forward();
    draw();
  });
  box.querySelector(".run").addEventListener("click", run);

  load(box.querySelector("select").value);
  while (step < given.shown) forward();
  draw();
  box.querySelectorAll("[disabled]").forEach(part => { part.disabled = false; });
})();
