"""From placeholders to logits to loss: the published graphs, built from a recipe's settings alone."""
