"""In which precision models compute; their weights, states, losses and logits stay float32."""

# Each precision as a dtype policy of Keras.
DTYPE_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
PRECISIONS = tuple(DTYPE_POLICIES)
