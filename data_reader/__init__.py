"""The input pipeline that all models share: files in, arrays out; and where files lie."""
