"""Data sets of shards, as the explorer shows them, made of picture files."""
