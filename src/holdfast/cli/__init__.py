"""The commands: each parses its words, calls one deed, and shapes the answer."""
