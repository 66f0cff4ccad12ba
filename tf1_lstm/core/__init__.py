"""What every other room needs: parts and their settings, cells, TensorFlow imported quietly, children."""
