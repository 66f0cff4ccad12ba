"""Mutates every kind of file that the program reads: ``make fuzz SECONDS=60``."""
