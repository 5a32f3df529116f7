"""Stores as sources of a conversion: what lies in them, read one picture at a time."""
