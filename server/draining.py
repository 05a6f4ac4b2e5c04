"""Draining: the time between being told to stop and stopping, for a load balancer to look away."""

from dataclasses import dataclass
from typing import Final

STOPPING: Final = "It has been told to stop: send requests to another instance."


@dataclass(slots=True)
class Drain:
    """Whether it has begun. Whoever is answered since then is told that the connection ends."""

    is_begun: bool = False
