"""From files to arrays: the pipeline that all models share."""
