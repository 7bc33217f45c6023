"""The input pipeline that all models share: files in, arrays out; and the paths of all files."""
