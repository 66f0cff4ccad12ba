"""A user's own data: texts, sequences, time series and plain texts, from the files that people have."""
