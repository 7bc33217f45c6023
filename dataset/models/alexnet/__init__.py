"""AlexNet up to fc7, the paper's image features."""
