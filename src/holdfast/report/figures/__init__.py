"""Figures as SVG text: colour-blind safe, the same bytes for the same numbers."""
