"""What stories are made of: photos, annotations and features."""
