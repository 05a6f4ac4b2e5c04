"""Liquid: templates as marketers write them, and as those do who mean harm."""
