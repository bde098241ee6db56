/* The front door: the reader walks Hana to a door, Rollo copies it, the street is dug up.
 *
 * Rollo is an honest clone: a table with one line for each state it was shown, and
 * nothing else. A state is the cell it stands on and the barrier it sees, if any.
 * Without a line it has no answer, and repeats its last move. Nothing here is staged:
 * book/_ext/companion/town.py plays the same rules, and a test compares the two.
 */
(() => {
  "use strict";
  const town = document.getElementById("town");
  if (!town) return;

  const part = (name) => town.querySelector(`[data-part="${name}"]`);
  const { map, routes } = JSON.parse(town.dataset.town);
  const MOVES = { up: [-1, 0], right: [0, 1], down: [1, 0], left: [0, -1] };
  const SIZE = 48;
  const PATIENCE = 3; // pushes before the curtain falls
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  // The town ------------------------------------------------------------------------
  const sign = ([r, c]) => (map[r] && map[r][c]) || "#";
  const same = (a, b) => Boolean(a && b) && a[0] === b[0] && a[1] === b[1];
  const next = ([r, c], move) => [r + MOVES[move][0], c + MOVES[move][1]];
  const isOpen = (cell) => sign(cell) !== "#";
  const isDoor = (cell) => "123".includes(sign(cell));
  const find = (letter) => {
    const r = map.findIndex((row) => row.includes(letter));
    return [r, map[r].indexOf(letter)];
  };
  const BAKERY = find("B");
  const moveBetween = (a, b) =>
    Object.keys(MOVES).find((move) => same(next(a, move), b));

  /** A shortest walk that enters no cell for which `closed` is true; null without one. */
  function way(start, goal, closed) {
    const queue = [[start]];
    const seen = new Set([String(start)]);
    while (queue.length) {
      const walk = queue.shift();
      const cell = walk[walk.length - 1];
      if (same(cell, goal)) return walk;
      for (const move of Object.keys(MOVES)) {
        const ahead = next(cell, move);
        if (isOpen(ahead) && !closed(ahead) && !seen.has(String(ahead))) {
          seen.add(String(ahead));
          queue.push([...walk, ahead]);
        }
      }
    }
    return null;
  }
  /** How Hana would walk: she knows the door, and keeps off the school garden. */
  const roundAbout = (door, dug) =>
    way(BAKERY, door, (cell) => sign(cell) === "*" || same(cell, dug));

  // The clone -----------------------------------------------------------------------
  /** What Rollo sees: its cell, and on which side there is a barrier, if there is one. */
  const state = (cell, dug) => {
    const side = Object.keys(MOVES).find((move) => same(next(cell, move), dug));
    return `${cell} ${side || ""}`;
  };
  /** Behavioral cloning at its plainest: one line for each state that was shown. */
  const clone = (walk) =>
    new Map(
      walk.slice(0, -1).map((cell, i) => [state(cell), moveBetween(cell, walk[i + 1])]),
    );

  /** A street cell, entered going straight on, that can be walked round. */
  function whereToDig(walk) {
    const straight = walk.filter((cell, i) => {
      if (i < 2 || i > walk.length - 2 || sign(cell) !== ".") return false;
      const before = moveBetween(walk[i - 2], walk[i - 1]);
      const now = moveBetween(walk[i - 1], cell);
      return before === now && roundAbout(walk[walk.length - 1], cell);
    });
    const known = straight.filter((cell) => same(cell, [1, 5]) || same(cell, [6, 3]));
    return known[0] || straight[(straight.length - 1) >> 1];
  }

  // What the reader sees --------------------------------------------------------------
  let walk = routes[0];
  const tried = new Set();
  let dug = null;
  let run = 0; // a new story makes the timers of an old one stop
  const status = part("status");
  const main = part("main");
  const stage = part("stage");
  const svg = stage.querySelector("svg");

  const centre = ([r, c]) => [c * SIZE + SIZE / 2, r * SIZE + SIZE / 2];
  const line = (name, cells) =>
    part(name).setAttribute("points", cells.map((cell) => centre(cell)).join(" "));
  const place = (name, cell) => {
    const [x, y] = centre(cell);
    part(name).style.transform = `translate(${x}px,${y}px)`;
    part(name).classList.toggle("t-home", same(cell, BAKERY));
    part(name).classList.toggle("t-at-door", isDoor(cell));
  };
  const say = (text) => {
    status.textContent = text;
  };
  const head = () => walk[walk.length - 1];
  const steps = (n) => (n === 1 ? "1 step" : `${n} steps`);
  const wait = (ms) =>
    new Promise((done) => setTimeout(done, calm.matches ? 0 : ms));

  function phase(name, label) {
    town.dataset.phase = name;
    town.classList.toggle("t-dug", Boolean(dug));
    if (name !== "stuck") town.classList.remove("t-pushing");
    main.textContent = label;
    main.disabled = name === "drawing" || name === "driving";
  }

  const PLACES = {
    B: "the bakery",
    C: "the café",
    "*": "the school garden",
    s: "the stairs",
    ".": "the street",
    1: "door 1",
    2: "door 2",
    3: "door 3",
  };
  function remark() {
    const cell = head();
    if (walk.length === 1) return "Walk Hana to any door. Rollo is watching.";
    const so = `${steps(walk.length - 1)}: ${PLACES[sign(cell)]}.`;
    if (isDoor(cell)) {
      const there = `Door ${sign(cell)} in ${steps(walk.length - 1)}`;
      return walk.some((passed) => sign(passed) === "*")
        ? `${there}, across the school garden. Rollo cannot know that Hana never would.`
        : `${there}. Rollo watched every one. Now it is Rollo’s turn.`;
    }
    if (sign(cell) === "C") {
      return `${so} A dead end with very good coffee. Hana will have to turn back.`;
    }
    if (sign(cell) === "*") return `${so} Hana never goes there. She has never said so, either.`;
    return `${so} Go on to any door.`;
  }

  function show() {
    const drawn = isDoor(head());
    line("route", walk);
    line("trail", []);
    line("detour", []);
    place("hana", head());
    place("rollo", BAKERY);
    town.querySelectorAll(".t-goal").forEach((goal) => {
      goal.classList.toggle("t-chosen", goal.dataset.door === sign(head()));
    });
    part("table").replaceChildren(
      ...walk.slice(0, -1).map((cell, i) => {
        const row = document.createElement("tr");
        for (const text of [
          `row ${cell[0] + 1}, column ${cell[1] + 1}`,
          moveBetween(cell, walk[i + 1]),
        ]) {
          row.appendChild(document.createElement("td")).textContent = text;
        }
        return row;
      }),
    );
    phase(drawn ? "ready" : "drawing", "Let Rollo drive");
  }

  function begin(newWalk, text) {
    run += 1;
    walk = newWalk;
    dug = null;
    show();
    say(text || remark());
  }

  /** One step of drawing: back, forward, or the shortest way to a cell further on. */
  function goTo(cell) {
    if (town.dataset.phase === "driving") return;
    if (dug || town.dataset.phase === "arrived") begin([BAKERY]);
    if (!isOpen(cell)) {
      say("That is a house. People live there.");
      return;
    }
    const back = walk.findIndex((passed) => same(passed, cell));
    if (back >= 0) {
      begin(walk.slice(0, back + 1));
      return;
    }
    const base = isDoor(head()) ? [BAKERY] : walk;
    const inTheWay = (c) =>
      base.some((passed) => same(passed, c)) || (isDoor(c) && !same(c, cell));
    const onward = way(base[base.length - 1], cell, (c) => inTheWay(c));
    const whole = onward
      ? [...base, ...onward.slice(1)]
      : way(BAKERY, cell, (c) => isDoor(c) && !same(c, cell));
    begin(whole);
  }

  // Rollo drives ----------------------------------------------------------------------
  async function drive() {
    const mine = (run += 1);
    const table = clone(walk);
    const trail = [BAKERY];
    let cell = BAKERY;
    let last = null;
    let pushes = 0;
    phase("driving", "Rollo drives");
    place("hana", BAKERY);
    place("rollo", BAKERY);
    line("trail", []);
    await wait(350);
    while (pushes < PATIENCE && !isDoor(cell)) {
      last = table.get(state(cell, dug)) || last; // no line: the last move again
      const ahead = next(cell, last);
      if (isOpen(ahead) && !same(ahead, dug)) {
        cell = ahead;
        trail.push(cell);
        place("rollo", cell);
        line("trail", trail);
      } else {
        pushes += 1;
        town.style.setProperty("--push-x", `${MOVES[last][1] * 5}px`);
        town.style.setProperty("--push-y", `${MOVES[last][0] * 5}px`);
        town.classList.add("t-pushing");
      }
      await wait(pushes ? 500 : 210);
      if (mine !== run) return;
    }
    town.dataset.trail = JSON.stringify(trail);
    if (isDoor(cell)) arrived();
    else stuck();
  }

  function arrived() {
    phase("arrived", "Dig up the street");
    say(
      `${steps(walk.length - 1)}, every one of them Hana’s: a perfect copy. ` +
        "Now the council digs up the street. What will Rollo do?",
    );
  }

  function dig() {
    dug = whereToDig(walk);
    place("barrier", dug);
    say("The street is closed. Rollo sets off as if it were yesterday.");
    drive();
  }

  function stuck() {
    const detour = roundAbout(head(), dug);
    line("detour", detour);
    phase("stuck", "Try another route");
    tried.add(String(walk));
    const all = tried.size === routes.length;
    say(
      `Rollo pushes, and pushes. It learned ${walk.length - 1} moves. ` +
        "No line says “barrier”, so it repeats its last one. " +
        `Hana would go round, in ${steps(detour.length - 1)}. ` +
        (all
          ? `That was the last of the ${routes.length} routes. None is safe.`
          : "Is any route safe?"),
    );
  }

  /** For those who would rather not draw: a route that has not been tried yet. */
  function another() {
    const fresh = routes.find((route) => !tried.has(String(route)));
    begin(fresh || routes[0]);
  }

  // Hands -----------------------------------------------------------------------------
  const press = {
    ready: drive,
    arrived: dig,
    stuck: another,
  };
  const goOn = () => {
    const act = press[town.dataset.phase];
    if (act) act();
  };
  main.addEventListener("click", goOn);
  part("clear").addEventListener("click", () => begin([BAKERY]));

  const cellAt = (event) => {
    const box = svg.getBoundingClientRect();
    const unit = box.width / map[0].length;
    return [
      Math.floor((event.clientY - box.top) / unit),
      Math.floor((event.clientX - box.left) / unit),
    ];
  };
  let dragging = false;
  let over = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const cell = cellAt(event);
    dragging = same(cell, head()) || same(cell, BAKERY);
    over = cell;
    if (dragging) stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (!dragging) return;
    const cell = cellAt(event);
    if (same(cell, over) || !isOpen(cell)) return;
    if (isDoor(head()) && same(over, BAKERY)) begin([BAKERY]); // a new walk from the shop
    over = cell;
    goTo(cell);
  });
  stage.addEventListener("pointerup", (event) => {
    const cell = cellAt(event);
    if (same(cell, over) && !(dragging && same(cell, head()))) goTo(cell);
    dragging = false;
  });
  stage.addEventListener("pointercancel", () => {
    dragging = false;
  });

  stage.addEventListener("keydown", (event) => {
    const move = event.key.startsWith("Arrow") && event.key.slice(5).toLowerCase();
    if (move) {
      event.preventDefault();
      if (town.dataset.phase === "driving") return;
      if (dug || isDoor(head())) begin([BAKERY]);
      goTo(next(head(), move));
    } else if (event.key === "Backspace") {
      event.preventDefault();
      if (town.dataset.phase !== "driving" && walk.length > 1) begin(walk.slice(0, -1));
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      goOn();
    } else if (event.key === "Escape") {
      begin([BAKERY]);
    }
  });

  // Wind the story back to its beginning, and hand it over.
  stage.setAttribute("role", "application");
  stage.setAttribute("tabindex", "0");
  stage.setAttribute(
    "aria-label",
    "Map of Loaf Street. Arrow keys walk Hana from the bakery to a door, " +
      "Backspace takes a step back, Enter lets Rollo drive.",
  );
  town.querySelector(".town-controls").hidden = false;
  town.classList.add("t-live");
  begin(
    routes[0],
    "Hana walked to door 2, and Rollo watched. Let it drive, or drag Hana to another door.",
  );
})();
