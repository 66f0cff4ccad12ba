"""Raw files to arrays, arrays to splits and batches; knows no framework."""
