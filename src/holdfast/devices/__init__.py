"""Bytes of a device file to recordings and tests, and workouts to bytes of a device file; opens no file.

Every reader gives back what it could read and the issues it met, for any bytes whatever: damaged, truncated, huge and
hostile files included. Nothing that identifies a person or a place (names, birth dates, serial numbers, positions) is
read.
"""
