"""Statistics, tables, pictures and pages, from plain values."""
