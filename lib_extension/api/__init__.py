"""Our own routes, below /atelier/v1: recipes, runs, their events, and pictures; for programs and for the tab alike."""

from lib_extension.api.openapi import tell_recipes
from lib_extension.api.router import make_router

__all__ = ["make_router", "tell_recipes"]
