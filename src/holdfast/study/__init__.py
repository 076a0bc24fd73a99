"""The study file: the protocol as data, read into frozen types, checked, and said back in words."""
