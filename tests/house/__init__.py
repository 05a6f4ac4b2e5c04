"""Tidiness: rules of the house that no linter knows. Each message names the cure."""
