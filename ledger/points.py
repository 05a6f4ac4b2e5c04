"""Points: their decimals, and the rounding of an amount that is computed (a percentage, say).

Never a float.
"""

from fractions import Fraction
from math import ceil, floor

from ledger.records import Program


def step(program: Program) -> int:
    """The program's smallest amount (1/1000): 1000 for whole points, 1 for three decimals."""
    return 10 ** (3 - program.rounding_decimals)


def fits(points: int, program: Program) -> bool:
    """The amount has no more decimals than its program."""
    return points % step(program) == 0


def rounded(points: Fraction, program: Program) -> int:
    """A computed amount of points as the program rounds it, in 1/1000 point.

    Once, where the amount enters.
    """
    steps = points * 1000 / step(program)
    return (ceil(steps) if program.rounding_mode == "UP" else floor(steps)) * step(program)
