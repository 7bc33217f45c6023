"""Downloads: VIST's annotations and photos, AlexNet's weights, GloVe and AREL's features."""
