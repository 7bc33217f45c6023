"""The data that stories are made from: photos, annotations and image features."""
