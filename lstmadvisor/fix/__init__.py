"""The fixer: edits → changes of text → files.  Besides the extractors the only room that knows syntax."""
