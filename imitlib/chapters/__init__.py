"""What each chapter's page runs, and the one table of the order of reading.

Reading order is dependency order: a room (a module of the library) may import only
rooms that stand before it in ``ORDER``, so whoever has read to chapter 6 has met
every line that chapter 6 runs. The table is data alone; ``tests/test_order.py``
makes the import contracts from it and holds the notebooks to it. Rooms that are
not written yet keep their place.

A tuple inside a chapter is one room in several files, which may use each other.
``chapters/chNN`` may import the rooms of chapters up to NN; no room imports it.
"""

ORDER = {
    "01": (
        "counting",
        ("mdp", "mdp_given"),
        "planning",
        "envs.tabular",
        ("envs.grid", "envs.grid_picture"),
        ("envs.town_map", "envs.town", "envs.town_picture"),
        "demonstrations",
        "experts",
        "tabular_experts",
        "rl",
    ),
    "02": (
        ("envs.lane", "envs.lane_picture"),
        "envs.tightrope",
        "envs.crossing",
        "envs.detour",
        ("envs.kitchen", "envs.kitchen_features", "envs.kitchen_view",
         "envs.kitchen_people"),
        "heads",
        "adam",
        "bc",
        "dagger",
    ),
    "03": ("envs.order_book", "language", "calibration"),
    "04": ("elicit",),
    "05": (("envs.mazes", "envs.maze_makers"), "pc"),
    "06": ("irl",),
    "07": ("rewards",),
    "08": ("goals",),
    "09": ("cirl",),
    "interlude": (),
    "10": ("preferences",),
    "11": ("hybrid",),
    "12": ("amplification", "search", "evolution"),
    "13": (),
}  # fmt: skip

# Service shafts run through the whole house: every room may use them, and they
# use no room.
SHAFTS = ("experiments", "figures", "exploring", "exercises", "fingerprint", "claims")
