"""Liquid: the messages' templates, checked when saved and rendered when sent, both elsewhere.

Stands alone: it knows of no delivery and no table.
"""

from campaigns.liquid.renderer import Renderer, RendererUnavailable
from campaigns.liquid.templates import (
    Aborted,
    Kind,
    MissingProperty,
    Outcome,
    Part,
    Rendered,
    RenderError,
    Roots,
    Scene,
    Template,
    TemplateFault,
    Value,
)

__all__ = [
    "Aborted",
    "Kind",
    "MissingProperty",
    "Outcome",
    "Part",
    "RenderError",
    "Rendered",
    "Renderer",
    "RendererUnavailable",
    "Roots",
    "Scene",
    "Template",
    "TemplateFault",
    "Value",
]
