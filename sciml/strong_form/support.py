"""What rules a problem out for every solver that fits fields with weights at points of a box."""

from __future__ import annotations

from sciml.domains.box import Box
from sciml.errors import SciMLError
from sciml.expr.traverse import atoms, multi_index
from sciml.problem import Problem


def reasons_against(problem: Problem, largest_order: int) -> list[str]:
    """Sentences that name what was found; empty where residuals can be taken at points.

    Args:
        problem: what to solve.
        largest_order: of a derivative that the fields supply.
    """
    reasons = []
    if not isinstance(problem.domain, Box):
        reasons.append("the domain is not a Box: points and distances are made for boxes")
    if problem.unbound_laws:
        names = ", ".join(symbol.name for symbol in problem.unbound_laws)
        reasons.append(f"no function is bound to the laws {names}: bind them with problem.bind")
    try:
        orders = [len(multi_index(atom)) for atom in atoms(*problem.residuals)]
    except SciMLError as error:
        return [*reasons, f"the equations cannot be evaluated at points: {error}"]
    if max(orders, default=0) > largest_order:
        reasons.append(f"derivatives of order {max(orders)}: at most {largest_order} are supported")
    return reasons
