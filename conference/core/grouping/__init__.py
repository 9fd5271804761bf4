"""Breakout groups: who sits at which table in which round.

`solve` seats everybody so that no rule is broken and the goals are as good as found, in their order, each with a proven
bound. `violations`, `check_move` and `evaluate` judge seatings made by hand. `parse_problem` and the `…_to_json`
functions speak the file format of `groups-solve`. `advise` tells beforehand what a number of tables allows.
"""

from .advice import Advice, Forecast, Outlook, advise, sensible_tables
from .bounds import bound, bounds_at_once
from .checking import check
from .model import (
    Apart,
    BadProblem,
    Balance,
    Colleagues,
    Contradiction,
    Diversity,
    EachGroupHas,
    Fixed,
    Goal,
    GoalScore,
    Group,
    NotFound,
    NotIn,
    Person,
    Problem,
    Repeats,
    Rule,
    Seating,
    Solution,
    Stays,
    Together,
    Value,
    Violation,
    Wishes,
)
from .reading import even_groups, parse_problem
from .repair import Move, Repair, published_seating, repair, repair_to_json
from .scoring import evaluate, status
from .solving import default_iterations, solve
from .violations import check_move, moved, violations
from .watching import Progress
from .writing import contradiction_to_json, problem_to_json, rule_to_json, score_to_json, to_json

__all__ = [
    "Advice",
    "Apart",
    "BadProblem",
    "Balance",
    "Colleagues",
    "Contradiction",
    "Diversity",
    "EachGroupHas",
    "Fixed",
    "Forecast",
    "Goal",
    "GoalScore",
    "Group",
    "Move",
    "NotFound",
    "NotIn",
    "Outlook",
    "Person",
    "Problem",
    "Progress",
    "Repair",
    "Repeats",
    "Rule",
    "Seating",
    "Solution",
    "Stays",
    "Together",
    "Value",
    "Violation",
    "Wishes",
    "advise",
    "bound",
    "bounds_at_once",
    "check",
    "check_move",
    "contradiction_to_json",
    "default_iterations",
    "evaluate",
    "even_groups",
    "moved",
    "parse_problem",
    "problem_to_json",
    "published_seating",
    "repair",
    "repair_to_json",
    "rule_to_json",
    "score_to_json",
    "sensible_tables",
    "solve",
    "status",
    "to_json",
    "violations",
]
